// Calls every operation that docs/openapi.yaml describes, over TCP with a key, and validates each
// response against the description.
//
//     node check.mjs URL KEY HOOKS_URL
//
// Prints "checked N responses of M operations", or the first error, and then exits with 1.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const [base, key, hooks] = process.argv.slice(2);
const described = parse(readFileSync(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(described, 'openapi');

const operations = [];
for (const [path, item] of Object.entries(described.paths))
  for (const method of ['get', 'post', 'put', 'delete'])
    if (item[method])
      operations.push({
        path,
        method,
        seen: new Set(),
        pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
        responses: item[method].responses,
      });

const escape = (part) => part.replace(/~/g, '~0').replace(/\//g, '~1');

/** Follows the $refs down to a response; ajv follows those in schemas. */
function resolve(value, pointer) {
  while (value.$ref) {
    pointer = value.$ref;
    value = pointer
      .slice(2)
      .split('/')
      .reduce((at, part) => at[part.replace(/~1/g, '/').replace(/~0/g, '~')], described);
  }
  return [value, pointer];
}

let answers = 0,
  lastCookie;
function fail(what) {
  console.error(what);
  process.exit(1);
}

/** Reads only the beginning of a stream that does not end. */
async function listen(path) {
  const route = path.split('?')[0];
  const operation = operations.find((one) => one.method === 'get' && one.pattern.test(route));
  const stop = new AbortController();
  const answer = await fetch(base + path, {
    headers: { authorization: `Bearer ${key}` },
    signal: stop.signal,
  });
  if (answer.status !== 200 || answer.headers.get('content-type') !== 'text/event-stream')
    fail(`${path}: ${answer.status}`);
  if (!operation.responses[200].content['text/event-stream']) fail(`${path} is not described`);
  operation.seen.add(200);
  answers++;
  stop.abort();
}

async function call(method, path, { body, type, status, headers = {}, keyless = false } = {}) {
  const route = path.split('?')[0];
  const operation = operations.find(
    (one) => one.method === method.toLowerCase() && one.pattern.test(route),
  );
  if (!operation) fail(`${method} ${route} is not described`);
  const answer = await fetch(base + path, {
    method,
    body,
    headers: {
      ...(keyless ? {} : { authorization: `Bearer ${key}` }),
      ...(type ? { 'content-type': type } : {}),
      ...headers,
    },
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const name = `${method} ${path}: ${answer.status}`;
  if (status && answer.status !== status) fail(`${name}, expected ${status}: ${bytes}`);
  const code = operation.responses[answer.status] ? String(answer.status) : 'default';
  if (answer.status < 400 && code === 'default') fail(`${name} is not described`);
  operation.seen.add(answer.status);
  lastCookie = answer.headers.get('set-cookie')?.split(';')[0] ?? lastCookie;
  const [response, pointer] = resolve(
    operation.responses[code],
    `#/paths/${escape(operation.path)}/${operation.method}/responses/${code}`,
  );
  const media = (answer.headers.get('content-type') || '').split(';')[0];
  if (!response.content?.[media]) fail(`${name}: ${media} is not described`);
  answers++;
  if (media !== 'application/json') return bytes;
  const data = JSON.parse(bytes);
  const validate = ajv.compile({ $ref: `openapi${pointer}/content/${escape(media)}/schema` });
  if (!validate(data)) fail(`${name}: ${ajv.errorsText(validate.errors)}\n${bytes}`);
  if (data.request.id !== answer.headers.get('x-request-id'))
    fail(`${name}: X-Request-Id differs from request.id`);
  return data.data;
}

const json = 'application/json',
  nowhere = '01938f00-0000-7000-8000-000000000000';
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function ended(id) {
  for (;;) {
    const run = await call('GET', `/api/v1/fleetruns/${id}`, { status: 200 });
    if (!['scheduled', 'running'].includes(run.status)) return run;
    await pause(20);
  }
}

async function projects() {
  const org = await call('POST', '/api/v1/orgs', {
    body: '{"name":"acme"}',
    type: json,
    status: 201,
  });
  await call('POST', '/api/v1/orgs', { body: '{"name":"acme"}', type: json, status: 409 });
  await call('POST', '/api/v1/orgs', { body: '{"nam":"acme"}', type: json, status: 400 });
  await call('GET', '/api/v1/orgs', { status: 200 });
  const path = `/api/v1/orgs/${org.id}/projects`;
  const project = await call('POST', path, { body: '{"name":"web"}', type: json, status: 201 });
  await call('GET', path, { status: 200 });
  await call('GET', `/api/v1/orgs/${nowhere}/projects`, { status: 404 });
  await call('DELETE', `/api/v1/orgs/${org.id}`, { status: 409 });
  return { org, project };
}

async function fleets({ org, project }) {
  const path = `/api/v1/projects/${project.id}/fleets`;
  const file = (script) =>
    `name: Site\nvessels:\n  main:\n    source:\n      type: CODE\n      language: BASH\n` +
    `      file_to_run: a.sh\n      file: { name: a.sh, content: ${JSON.stringify(script)} }\n`;
  const put = (body, status, query = '') =>
    call('PUT', path + query, { body, type: 'application/yaml', status });
  await put(file('echo said; exit 3'), 200, '?check=1');
  const applied = await put(file('echo said; exit 3'), 200);
  await put('name: [', 422);
  await put(file('exec sleep 1000'), 200);
  await call('GET', path, { status: 200 });
  await call('GET', '/api/v1/fleets', { status: 200 });
  const fleet = `/api/v1/fleets/${applied.fleet.id}`;
  await call('GET', fleet, { status: 200 });
  await call('GET', `/api/v1/fleets/${nowhere}`, { status: 404 });
  await call('GET', `${fleet}/versions`, { status: 200 });
  await call('GET', `${fleet}/versions/1`, { status: 200 });
  await call('GET', `${fleet}/versions/9`, { status: 404 });
  return { org, project, fleet, first: () => put(file('echo said; exit 3'), 200) };
}

async function webhooks({ fleet }) {
  await call('GET', `${fleet}/webhook`, { status: 404 });
  await call('POST', `${fleet}/webhook`, { status: 201 });
  await call('POST', `${fleet}/webhook`, { status: 409 });
  await call('GET', '/api/v1/webhooks', { status: 200 });
  await call('GET', `${fleet}/webhook`, { status: 200 });
  await call('GET', `${fleet}/webhook?since=yesterday`, { status: 400 });
  const webhook = await call('PUT', `${fleet}/webhook?since=2026-11-28T00:00:00Z`, { status: 200 });
  const posted = await fetch(hooks + new URL(webhook.url).pathname, {
    method: 'POST',
    body: '{"ref":"main"}',
    headers: { 'content-type': json, 'x-github-event': 'push' },
  });
  if (posted.status !== 201) fail(`POST to the webhook: ${posted.status}, expected 201`);
  for (
    let called = null;
    !called;
    called = (await call('GET', `${fleet}/webhook`, { status: 200 })).last_request
  )
    await pause(50);
  return (await posted.json()).data.fleet_run_id;
}

async function runs({ fleet, first }, posted) {
  await call('POST', `/api/v1/fleetruns/${posted}/stop`, { status: 202 });
  await ended(posted);
  await call('POST', `/api/v1/fleetruns/${posted}/stop`, { status: 409 });
  await first();
  const again = await call('POST', `/api/v1/fleetruns/${posted}/again`, { status: 201 });
  const run = await ended(again.id);
  if (run.vessels[0].exit_code !== 3)
    fail(`the vessel's exit code is ${run.vessels[0].exit_code}, not 3`);
  const started = await call('POST', `${fleet}/fleetruns`, {
    body: 'x'.repeat(100000),
    type: 'text/plain',
    headers: { 'x-webhookd-headers': '{"x-github-event": "push", "x-a": ["1", "2"]}' },
    status: 201,
  });
  if (started.event !== 'push') fail(`the event is ${started.event}, not push`);
  await call('POST', `${fleet}/fleetruns`, {
    headers: { 'x-webhookd-headers': '{"host": "h.example"}' },
    status: 400,
  });
  await ended(started.id);
  const path = `/api/v1/fleetruns/${started.id}`;
  if ((await call('GET', `${path}/body`, { status: 200 })).length !== 100000)
    fail('the stored body has a different length');
  await call('GET', `${path}/headers`, { status: 200 });
  const log = `/api/v1/fleetruns/${run.id}/vessels/${run.vessels[0].id}/log`;
  await call('GET', log, { status: 200 });
  await call('GET', `${log}?follow=1&attempt=1`, { status: 200 });
  await call('GET', `${log}?attempt=7`, { status: 404 });
  const page = await call('GET', '/api/v1/fleetruns?limit=1', { status: 200 });
  await call('GET', `/api/v1/fleetruns?before=${page.next_before}&trigger=webhook`, {
    status: 200,
  });
  await call('GET', `/api/v1/fleetruns?after=${posted}&limit=1`, { status: 200 });
  await call('GET', `/api/v1/fleetruns?after=${posted}&before=${posted}`, { status: 400 });
  await call('GET', `${fleet}/fleetruns?status=errored`, { status: 200 });
  await call('GET', '/api/v1/fleetruns?limit=0', { status: 400 });
  await call('GET', '/api/v1/fleetruns?unknown=1', { status: 400 });
  await call('GET', `/api/v1/fleetruns/${nowhere}`, { status: 404 });
}

async function trigger({ org, project, fleet }) {
  const id = fleet.split('/').at(-1),
    elsewhere = `/orgs/${org.id}/projects/${project.id}/fleets/${id}/fleetruns`;
  const set = (variables) =>
    JSON.stringify({
      vessel_overrides: [{ name: 'main', environment_variable_overrides: variables }],
    });
  const body = set({ STAGE: 'prod', SHIPYARD_OVERRIDE_STATUS: 'SUCCESS' });
  const made = await call('POST', `${fleet}/trigger`, { body, type: json, status: 201 });
  const run = await ended(made.fleet_run_id);
  if (run.trigger !== 'api' || run.overrides[0]?.variables[0] !== 'STAGE')
    fail(`the fleet run does not show its overrides: ${JSON.stringify(run)}`);
  const log = `/api/v1/fleetruns/${run.id}/vessels/${run.vessels[0].id}/log`;
  await call('GET', log, { status: 200 });
  await call('POST', `${fleet}/trigger`, { body: set({ LD_X: '' }), type: json, status: 422 });
  await call('POST', `/api/v1/fleets/${nowhere}/trigger`, { status: 404 });
  await ended((await call('POST', elsewhere, { status: 201 })).fleet_run_id);
  const once = { headers: { 'idempotency-key': '"nightly-1"' }, type: json };
  const first = await call('POST', elsewhere, { ...once, body: '{}', status: 201 });
  const again = await call('POST', `${fleet}/trigger`, { ...once, body: '{}', status: 201 });
  if (again.fleet_run_id !== first.fleet_run_id) fail('the repeated call has started another run');
  await call('POST', elsewhere, { ...once, body: '', status: 422 });
  await ended(first.fleet_run_id);
  await call('POST', elsewhere.replace(org.id, nowhere), { status: 400 });
}

/* The project's fleet refers to the credential. */
async function credentials({ org, project }) {
  const path = `/api/v1/orgs/${org.id}/credentials`,
    one = `${path}/DB/PASSWORD`;
  const type = 'application/octet-stream';
  await call('PUT', one, { body: 'x', type, status: 201 });
  await call('PUT', one, { body: 'y\n', type, status: 200 });
  await call('PUT', one, { body: '', type, status: 400 });
  await call('PUT', `${path}/db/PASSWORD`, { body: 'x', type, status: 400 });
  await call('GET', path, { status: 200 });
  await call('GET', `/api/v1/orgs/${nowhere}/credentials`, { status: 404 });
  const made = await call('PUT', `/api/v1/projects/${project.id}/fleets`, {
    body:
      'name: Secret\nvessels:\n  main:\n    source:\n      type: CODE\n      language: BASH\n' +
      "      file: { name: a.sh, content: 'true' }\n      environment: { A: '#{DB.PASSWORD}' }\n",
    type: 'application/yaml',
    status: 200,
  });
  const used = await call('GET', `${one}/used`, { status: 200 });
  if (used.fleets[0]?.vessels[0] !== 'main') fail(`${one}/used: ${JSON.stringify(used)}`);
  await call('DELETE', one, { status: 409 });
  await call('DELETE', `${one}?force=1`, { status: 200 });
  await call('DELETE', one, { status: 404 });
  await call('DELETE', `/api/v1/fleets/${made.fleet.id}`, { status: 200 });
}

async function blueprints({ org }) {
  const path = `/api/v1/orgs/${org.id}/blueprints`;
  const file = (more) =>
    'name: Greet\nsynopsis: Greets someone.\n' +
    `inputs:\n  WHO: { name: Who, type: ALPHANUMERIC, ${more} }\n` +
    "source: { type: CODE, language: BASH, file: { name: a.sh, content: 'true' } }\n";
  const put = (body, status, query = '') =>
    call('PUT', path + query, { body, type: 'application/yaml', status });
  await put(file('required: true'), 200, '?check=1');
  const { blueprint } = await put(file('required: true'), 200);
  await put('name: [', 422);
  await put(file('required: true'), 400, '?check=2');
  await call('GET', path, { status: 200 });
  await call('GET', `/api/v1/orgs/${nowhere}/blueprints`, { status: 404 });
  const one = `/api/v1/blueprints/${blueprint.id}`;
  await call('GET', one, { status: 200 });
  await call('GET', `/api/v1/blueprints/${nowhere}`, { status: 404 });
  await call('GET', `${one}/versions`, { status: 200 });
  await call('GET', `${one}/versions/1`, { status: 200 });
  await call('GET', `${one}/versions/7`, { status: 404 });
  return { one, put, file };
}

/* The project's fleet uses the blueprint. */
async function blueprintUsers({ project }, { one, put, file }) {
  const made = await call('PUT', `/api/v1/projects/${project.id}/fleets`, {
    body:
      'name: Greeting\nvessels:\n  main:\n    source:\n      type: BLUEPRINT\n' +
      '      blueprint: Greet\n      inputs: { WHO: you }\n',
    type: 'application/yaml',
    status: 200,
  });
  const { affected } = await put(file('required: true').replace('ALPHANUMERIC', 'DATE'), 200);
  if (affected[0]?.vessels[0].problems.length !== 1) fail(`affected: ${JSON.stringify(affected)}`);
  await call('GET', `${one}/used`, { status: 200 });
  await call('DELETE', one, { status: 409 });
  await call('DELETE', `/api/v1/fleets/${made.fleet.id}`, { status: 200 });
  await call('DELETE', one, { status: 200 });
  await call('DELETE', one, { status: 404 });
}

/* webhookd finds the package harbour in a folder. */
async function packages({ project }) {
  const made = await call('PUT', `/api/v1/projects/${project.id}/fleets`, {
    body:
      'name: Port\nvessels:\n  main:\n    source:\n      type: CODE\n      language: PYTHON\n' +
      "      file: { name: a.py, content: 'pass' }\n      packages: { name: harbour }\n",
    type: 'application/yaml',
    status: 200,
  });
  const path = `/api/v1/fleets/${made.fleet.id}/packages`;
  const settled = async () => {
    for (;;) {
      const [vessel] = (await call('GET', path, { status: 200 })).vessels;
      if (vessel.state !== 'installing' && vessel.refresh?.state !== 'installing') return vessel;
      await pause(50);
    }
  };
  const { key, state, reason } = await settled();
  if (state !== 'ready') fail(`the packages are ${state}: ${reason}`);
  const [one] = (await call('GET', '/api/v1/packages', { status: 200 })).environments;
  if (one.key !== key || one.users[0].fleet_name !== 'Port') fail(JSON.stringify(one));
  await call('GET', `/api/v1/packages/${key}/log`, { status: 200 });
  await call('GET', `/api/v1/packages/${key}/log?from=1`, { status: 400 });
  await call('GET', `/api/v1/packages/${nowhere}/log`, { status: 404 });
  await listen(`/api/v1/packages/${key}/log?follow=1`);
  await call('POST', `${path}/refresh`, { status: 202 });
  await settled();
  await call('POST', `/api/v1/fleets/${nowhere}/packages/refresh`, { status: 404 });
  await call('DELETE', `/api/v1/packages/${key}`, { status: 200 });
  await call('DELETE', `/api/v1/packages/${key}`, { status: 404 });
  await call('DELETE', '/api/v1/packages?all=1', { status: 200 });
  await call('DELETE', '/api/v1/packages?all=2', { status: 400 });
  await call('DELETE', `/api/v1/fleets/${made.fleet.id}`, { status: 200 });
}

async function administration({ org, fleet }) {
  const made = await call('POST', '/api/v1/keys', {
    body: '{"name":"other"}',
    type: json,
    status: 201,
  });
  const roles = [
    [{ name: 'brief', expires_in_s: 3600 }, 201],
    [{ name: 'ci', role: 'trigger', fleet_id: fleet.split('/').at(-1), expires_in_s: 3600 }, 201],
    [{ name: 'bot', role: 'trigger', org_id: org.id }, 201],
    [{ name: 'bad', role: 'owner', org_id: org.id }, 400],
    [{ name: 'bad', role: 'trigger', fleet_id: nowhere }, 404],
  ];
  for (const [key, status] of roles)
    await call('POST', '/api/v1/keys', { body: JSON.stringify(key), type: json, status });
  const { keys } = await call('GET', '/api/v1/keys', { status: 200 });
  if (!keys.some((one) => one.fleet_name === 'Site')) fail('no key is bound to the fleet');
  await call('DELETE', `/api/v1/keys/${made.id}`, { status: 200 });
  await call('DELETE', `/api/v1/keys/${made.id}`, { status: 404 });
  const signIn = (body, status) =>
    call('POST', '/api/v1/session', {
      body: JSON.stringify(body),
      type: json,
      status,
      keyless: true,
    });
  await signIn({ key: 'wha_0' }, 401);
  await signIn({ name: 'other' }, 400);
  await signIn({ key }, 201);
  await call('GET', '/api/v1/session', { status: 404 });
  await call('GET', '/api/v1/session', {
    keyless: true,
    headers: { cookie: lastCookie },
    status: 200,
  });
  await call('DELETE', '/api/v1/session', {
    keyless: true,
    headers: { cookie: lastCookie, 'sec-fetch-site': 'same-origin' },
    status: 200,
  });
  const page = await call('GET', '/api/v1/audit?limit=2', { status: 200 });
  await call('GET', `/api/v1/audit?before=${page.next_before}`, { status: 200 });
  await call('GET', '/api/v1/audit?action=fleet.apply&who=nobody&since=2026-11-28T00:00:00Z', {
    status: 200,
  });
  await call('GET', `/api/v1/audit?fleet=${nowhere}`, { status: 200 });
  await call('GET', '/api/v1/audit?action=none', { status: 400 });
  await call('GET', '/api/v1/status', { status: 200 });
  await call('POST', '/api/v1/backup', { status: 200 });
  await listen('/api/v1/events');
  for (const path of ['/healthz', '/readyz', '/metrics'])
    await call('GET', path, { status: 200, keyless: true });
}

async function leave({ org, project, fleet }) {
  await call('DELETE', `${fleet}/webhook`, { status: 200 });
  await call('DELETE', fleet, { status: 200 });
  await call('DELETE', `/api/v1/orgs/${org.id}/projects/${project.id}`, { status: 200 });
  await call('DELETE', `/api/v1/orgs/${org.id}`, { status: 200 });
}

async function refusals() {
  for (const { path, method, responses } of operations)
    if (responses['401'] && !(method === 'post' && path === '/api/v1/session'))
      await call(method.toUpperCase(), path.replace(/\{\w+\}/g, nowhere), {
        keyless: true,
        status: 401,
      });
}

const house = await fleets(await projects());
await runs(house, await webhooks(house));
await trigger(house);
await credentials(house);
await blueprintUsers(house, await blueprints(house));
await packages(house);
await administration(house);
await leave(house);
const missed = operations.filter((one) => ![...one.seen].some((status) => status < 400));
if (missed.length > 0)
  fail(`never called: ${missed.map((one) => `${one.method} ${one.path}`).join(', ')}`);
await refusals();
console.log(`checked ${answers} responses of ${operations.length} operations`);
