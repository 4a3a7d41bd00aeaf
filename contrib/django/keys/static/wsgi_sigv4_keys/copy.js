'use strict';
// Copies the text of a field to the clipboard, by the browser's own means where the page may use them.
document.addEventListener('DOMContentLoaded', () => {
    const button = document.getElementById('copy');
    const field = document.getElementById(button.dataset.copy);
    button.addEventListener('click', async () => {
        field.select();
        try {
            await navigator.clipboard.writeText(field.value);
        } catch {
            document.execCommand('copy');
        }
        button.textContent = button.dataset.copied;
    });
});
