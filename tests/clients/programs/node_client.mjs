// The clients of node: the AWS SDK for JavaScript, version 3, and aws4.
//
// Run in the folder whose node_modules has them, with the URL of the server as its one argument;
// prints a line for each exchange, as the other programs do.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import http from "node:http";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/package.json`);
const aws4 = require("aws4");
const { DynamoDBClient, ListTablesCommand } = require("@aws-sdk/client-dynamodb");
const { SendMessageCommand, SQSClient } = require("@aws-sdk/client-sqs");
const s3 = require("@aws-sdk/client-s3");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

// The keys of the server's; see tests/clients/application.py.
const KEY = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const TEMPORARY = {
  ...KEY,
  accessKeyId: "ASIAIOSFODNN7EXAMPLE",
  sessionToken: "IQoJb3JpZ2luX2VjEXAMPLE//8=+a/b==",
};
const WRONG = { ...KEY, secretAccessKey: "a secret that nobody issued" };
const ODD_KEYS = ["plain.txt", "a b+c", "café/€", "a//b", "q?x=1&y#z", "'()*!~", "%2F;@=:,$"];
const HOUR = 3600 * 1000;

const endpoint = process.argv[2];
const queue = `${endpoint}/123456789012/queue`;

function config(credentials = KEY) {
  return { endpoint, credentials, region: "us-east-1", maxAttempts: 2 };
}

function bucket(credentials = KEY) {
  return new s3.S3Client({ ...config(credentials), forcePathStyle: true });
}

async function objects() {
  const client = bucket();
  for (const Key of ODD_KEYS) {
    const where = { Bucket: "node", Key };
    await client.send(new s3.PutObjectCommand({ ...where, Body: `content of ${Key}` }));
    const { Body } = await client.send(new s3.GetObjectCommand(where));
    assert.equal(await Body.transformToString(), `content of ${Key}`);
    await client.send(new s3.HeadObjectCommand(where));
  }
  const { Contents } = await client.send(new s3.ListObjectsV2Command({ Bucket: "node" }));
  assert.deepEqual(Contents.map((entry) => entry.Key).sort(), [...ODD_KEYS].sort());
  for (const Key of ODD_KEYS) {
    await client.send(new s3.DeleteObjectCommand({ Bucket: "node", Key }));
  }
}

async function presigned() {
  const client = bucket(TEMPORARY);
  const where = { Bucket: "presigned", Key: "a b+c/café" };
  const put = await getSignedUrl(client, new s3.PutObjectCommand(where), { expiresIn: 60 });
  assert.equal((await fetch(put, { method: "PUT", body: "content" })).status, 200);
  const get = await getSignedUrl(client, new s3.GetObjectCommand(where), { expiresIn: 60 });
  assert.equal(await (await fetch(get)).text(), "content");
  await presignedWithChecksums(where);
}

// By default the SDK hoists a checksum into the query: of no body, where it is not told of one.
async function presignedWithChecksums(where) {
  const client = new s3.S3Client({ ...config(TEMPORARY), forcePathStyle: true });
  const url = await getSignedUrl(client, new s3.PutObjectCommand(where), { expiresIn: 60 });
  assert.equal(new URL(url).searchParams.get("x-amz-checksum-crc32"), "AAAAAA==");
  assert.equal((await fetch(url, { method: "PUT", body: "content" })).status, 200);
  const ChecksumSHA256 = createHash("sha256").update("content").digest("base64");
  const command = new s3.PutObjectCommand({ ...where, ChecksumSHA256 });
  const bound = await getSignedUrl(client, command, { expiresIn: 60 });
  assert.equal((await fetch(bound, { method: "PUT", body: "content" })).status, 200);
  const other = await fetch(bound, { method: "PUT", body: "other" });
  assert.equal(other.status, 400);
  assert.match(await other.text(), /<Code>BadDigest</);
}

async function jsonServices() {
  await new DynamoDBClient(config(TEMPORARY)).send(new ListTablesCommand({}));
  const message = { QueueUrl: queue, MessageBody: "a message" };
  await new SQSClient(config(TEMPORARY)).send(new SendMessageCommand(message));
}

const RealDate = Date;

// Set the clock of this process, as far as its clients read it.
function setClock(offset) {
  globalThis.Date = class extends RealDate {
    constructor(...parts) {
      super(...(parts.length ? parts : [RealDate.now() + offset]));
    }

    static now() {
      return RealDate.now() + offset;
    }
  };
}

// The clock is off: the first attempt is refused, the client reads our Date, the second passes.
async function corrected(client, command, offset) {
  setClock(offset);
  const { $metadata } = await client.send(command);
  assert.equal($metadata.attempts, 2);
  setClock(0);
}

async function nameOfError(client, command) {
  try {
    await client.send(command);
  } catch (error) {
    return error.name;
  }
  throw new Error("no error");
}

function plain(options, credentials = KEY) {
  const { hostname, port, host } = new URL(endpoint);
  const signed = aws4.sign(
    { hostname, port, headers: { Host: host }, region: "us-east-1", service: "execute-api", ...options },
    credentials,
  );
  return new Promise((resolve, reject) => {
    const request = http.request(signed, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => {
        const xml = /<Code>(\w+)<\/Code>/.exec(Buffer.concat(chunks).toString());
        const code = answer.headers["x-amzn-errortype"] ?? xml?.[1] ?? "";
        resolve(`${answer.statusCode} ${code}`.trim());
      });
    });
    request.on("error", reject);
    request.end(signed.body ?? "");
  });
}

function version(name) {
  return `${name} ${require(`${name}/package.json`).version}`;
}

async function run(client, packages, exchanges) {
  const versions = packages.map(version).join(", ");
  for (const [sent, send] of exchanges) {
    const told = (await send()) ?? "200";
    console.log(JSON.stringify({ client, version: versions, sent, told }));
  }
}

const list = new s3.ListObjectsV2Command({ Bucket: "node" });
const tables = new ListTablesCommand({});
const dynamodb = (credentials = KEY) => new DynamoDBClient(config(credentials));
await run("AWS SDK for JavaScript 3", ["@aws-sdk/client-s3", "@aws-sdk/client-dynamodb"], [
  ["S3: put, get, head, list, delete with odd keys", objects],
  ["S3: presigned PUT and GET, session token", presigned],
  ["DynamoDB and SQS (JSON), session token", jsonServices],
  ["S3: a clock an hour slow, corrected", () => corrected(bucket(), list, -HOUR)],
  ["S3: a clock an hour fast, corrected", () => corrected(bucket(), list, HOUR)],
  ["DynamoDB: a clock an hour slow, corrected", () => corrected(dynamodb(), tables, -HOUR)],
  ["DynamoDB: a clock an hour fast, corrected", () => corrected(dynamodb(), tables, HOUR)],
  ["S3: wrong secret", () => nameOfError(bucket(WRONG), list)],
  ["DynamoDB: wrong secret", () => nameOfError(dynamodb(WRONG), tables)],
]);
await run("aws4 (node)", ["aws4"], [
  ["GET, escapes in path and query", () => plain({ path: "/caf%C3%A9/a%20b?b=c%20d&a=1" })],
  ["POST of JSON", () => plain({ method: "POST", path: "/x", body: "{}" })],
  ["GET, session token", () => plain({ path: "/x" }, TEMPORARY)],
  ["presigned GET", () => plain({ path: "/x?q=1", signQuery: true })],
  ["S3: PUT", () => plain({ service: "s3", method: "PUT", path: "/aws4/a%20b", body: "content" })],
  ["GET, wrong secret", () => plain({ path: "/x" }, WRONG)],
]);
