// Posts to a webhook: node client.mjs fetch|axios|examples URL. Prints one line for each request:
// name, status, fleet run, and the SHA-256 of the body sent.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';

const [, , mode, url] = process.argv;
const require = createRequire(import.meta.url);

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const large = Buffer.alloc(300 * 1024, everyByte);

function report(name, status, answer, sent) {
  const sha256 = createHash('sha256').update(sent).digest('hex');
  console.log(name, status, answer?.data?.fleet_run_id ?? '-', sha256);
}

function* pieces(bytes) {
  for (let at = 0; at < bytes.length; at += 10000) yield bytes.subarray(at, at + 10000);
}

async function postWithFetch(name, sent, options) {
  const response = await fetch(url, { method: 'POST', body: sent, ...options });
  report(name, response.status, await response.json(), options?.sent ?? sent ?? '');
}

async function allWithFetch() {
  await postWithFetch('json', JSON.stringify({ text: 'caf\u00e9' }), {
    headers: { 'Content-Type': 'application/json' },
  });
  await postWithFetch('bytes', everyByte);
  await postWithFetch('large', large);
  await postWithFetch('nothing', undefined);
  await postWithFetch('form', new URLSearchParams({ a: '1 2' }), { sent: 'a=1+2' });
  await postWithFetch('stream', Readable.toWeb(Readable.from(pieces(large))), {
    duplex: 'half',
    sent: large,
  });
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => postWithFetch(`together-${i}`, `body ${i}`)),
  );
}

async function postWithAxios(name, sent, hashed = sent) {
  const axios = require('axios');
  const response = await axios.post(url, sent, { validateStatus: () => true });
  report(name, response.status, response.data, hashed);
}

async function allWithAxios() {
  await postWithAxios('json', { text: 'caf\u00e9' }, JSON.stringify({ text: 'caf\u00e9' }));
  await postWithAxios('bytes', everyByte);
  await postWithAxios('large', large);
  await postWithAxios('nothing', undefined, '');
  await postWithAxios('stream', Readable.from(pieces(large)), large);
}

async function postExamples() {
  for (const event of require('@octokit/webhooks-examples')) {
    for (const example of event.examples) {
      const sent = JSON.stringify(example);
      const headers = { 'Content-Type': 'application/json', 'X-GitHub-Event': event.name };
      await postWithFetch(event.name, sent, { headers });
    }
  }
}

await { fetch: allWithFetch, axios: allWithAxios, examples: postExamples }[mode]();
