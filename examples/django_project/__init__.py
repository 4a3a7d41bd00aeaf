"""An API for signed requests only, as a Django project.

Run it from the top of the checkout, and ask it for items::

    gunicorn examples.django_project.wsgi

    curl "http://127.0.0.1:8000/items?q=lamp" \\
        --aws-sigv4 "aws:amz:us-east-1:items" \\
        --user "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
"""
