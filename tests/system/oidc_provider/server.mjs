// A certified OpenID Provider with a second factor: device flow, authorization code with PKCE and PAR, CIBA, revocation.
//
//   node server.mjs --cert FILE --key FILE --port N --seed BASE32 [--everyday-ttl S] [--elevated-ttl S] [--ignore-acr]
//
// Accounts: alice and bob, password "correct horse", TOTP seed as given (both share it). For CIBA, /phone is everybody's
// authentication device: GET lists what waits as [{id, account, message}], POST {id, otp} approves and {id} denies.
// /rotate gives the provider another signing key and forgets the old one.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Provider, errors, interactionPolicy } from 'oidc-provider';
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';
import * as OTPAuth from 'otpauth';

const { values: args } = parseArgs({
  options: {
    cert: { type: 'string' }, key: { type: 'string' }, port: { type: 'string' }, seed: { type: 'string' },
    'everyday-ttl': { type: 'string', default: '28800' }, 'elevated-ttl': { type: 'string', default: '300' },
    'ignore-acr': { type: 'boolean', default: false },
  },
});

const WEAK = 'urn:stepup:1fa';
const STRONG = 'urn:stepup:mfa';
const RANK = { [WEAK]: 1, [STRONG]: 2 };
const PASSWORD = 'correct horse';
const ISSUER = `https://localhost:${args.port}`;
const EVERYDAY = 'kubectl';
const ELEVATED = 'kubectl-elevated';
// Clients for which this provider does one thing wrong: never asks for what acr_values names, answers from an old
// session whatever max_age says, gives device codes that live for five seconds, grants `openid` alone.
const LAX = 'kubectl-lax';
const FORGETFUL = 'kubectl-forgetful';
const HASTY = 'kubectl-hasty';
const NARROW = 'kubectl-narrow';
const INTERVAL_S = 1;
const CIBA = 'urn:openid:params:grant-type:ciba';
const ACCOUNTS = {
  alice: { groups: ['dev'], email: 'alice@example.com' },
  bob: { groups: ['ops'], email: 'bob@example.com' },
};

const ignoresAcr = (clientId) => args['ignore-acr'] || clientId === LAX;
const policy = interactionPolicy.base();
const olderThanAsked = policy.get('login').checks.get('max_age');
const isOlder = olderThanAsked.check;
olderThanAsked.check = (ctx) => ctx.oidc.client.clientId !== FORGETFUL && isOlder(ctx);
if (!args['ignore-acr']) {
  // Without this check acr_values is voluntary and never asks for anything.
  policy.get('login').checks.add(new interactionPolicy.Check('acr_values', 'requested ACR not satisfied', (ctx) => {
    const wanted = (ctx.oidc.params.acr_values || '').split(' ').filter((v) => RANK[v]);
    return !ignoresAcr(ctx.oidc.client.clientId) && wanted.length > 0 && !wanted.some((v) => (RANK[ctx.oidc.acr] || 0) >= RANK[v]);
  }));
}

const client = (clientId) => ({
  client_id: clientId, token_endpoint_auth_method: 'none', application_type: 'native',
  redirect_uris: ['http://127.0.0.1/callback'], response_types: ['code'],
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'authorization_code', CIBA],
  backchannel_token_delivery_mode: 'poll',
});

const totp = new OTPAuth.TOTP({ secret: OTPAuth.Secret.fromBase32(args.seed) });
const isCode = (code) => Boolean(code) && totp.validate({ token: code, window: 1 }) !== null;
const waiting = new Map(); // what came to the authentication device: id -> {request, account, message}

const escape = (s) => String(s).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const page = (title, body) => `<!DOCTYPE html><html><head><meta charset="utf-8"><title>${escape(title)}</title></head><body><h1>${escape(title)}</h1>${body}</body></html>`;

function configuration() {
  return {
    clients: [EVERYDAY, ELEVATED, LAX, FORGETFUL, HASTY, NARROW].map(client),
    acrValues: [WEAK, STRONG],
    claims: { openid: ['sub', 'acr', 'amr', 'auth_time'], groups: ['groups'], email: ['email', 'email_verified'], acr: null, amr: null, auth_time: null, iss: null, sid: null },
    conformIdTokenClaims: false,
    scopes: ['openid', 'offline_access', 'email', 'groups'],
    extraParams: ['stepup_command'],
    ttl: { IdToken: (ctx, token, by) => Number(args[by.clientId === EVERYDAY ? 'everyday-ttl' : 'elevated-ttl']), AccessToken: 300, BackchannelAuthenticationRequest: 300, DeviceCode: (ctx, code, by) => (by.clientId === HASTY ? 5 : 600), Session: 3600, Interaction: 600, Grant: 3600 },
    cookies: { keys: ['test-only-cookie-key'] },
    interactions: { policy, url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      claimsParameter: { enabled: true },
      revocation: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      ciba: {
        enabled: true, deliveryModes: ['poll'],
        processLoginHint: async (ctx, hint) => (Object.hasOwn(ACCOUNTS, hint) ? hint : undefined),
        validateBindingMessage: async (ctx, message) => {
          // The library's own rule takes 20 characters without spaces: no command fits.
          if (message && !/^[\x20-\x7e]{1,200}$/.test(message)) throw new errors.InvalidBindingMessage('1 to 200 printable ASCII characters');
        },
        validateRequestContext: async () => {}, verifyUserCode: async () => {},
        triggerAuthenticationDevice: async (ctx, request, account) => {
          waiting.set(request.jti, { request, account: account.accountId, message: request.params.binding_message });
        },
      },
      deviceFlow: {
        enabled: true, mask: '****-****', charset: 'base-20',
        userCodeInputSource: async (ctx, form, out, err) => { ctx.body = page('Enter the code', `${err ? '<p id="error">That code is not known.</p>' : ''}${form}<button type="submit" form="op.deviceInputForm">Continue</button>`); },
        userCodeConfirmSource: async (ctx, form, c, deviceInfo, userCode) => {
          const command = ctx.oidc.entities.DeviceCode?.params?.stepup_command;
          ctx.body = page('Confirm', `<p>Code <code id="user-code">${escape(userCode)}</code></p><p>Command <code id="command">${escape(command ?? '')}</code></p>${form}
            <button autofocus type="submit" form="op.deviceConfirmForm">Continue</button>
            <button type="submit" form="op.deviceConfirmForm" value="yes" name="abort">Abort</button>`);
        },
        successSource: async (ctx) => { ctx.body = page('Signed in', '<p id="done">You may close this page.</p>'); },
      },
    },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email_verified: true, ...ACCOUNTS[id] }) }),
  };
}

const form = async (req) => {
  const parts = [];
  for await (const part of req) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
};

async function interaction(provider, req, res) {
  const { prompt, params, grantId, session } = await provider.interactionDetails(req, res);
  const wantsSecondFactor = prompt.name === 'login' && (params.acr_values || '').split(' ').includes(STRONG) && !ignoresAcr(params.client_id);
  if (req.method === 'GET' && prompt.name === 'login') {
    res.setHeader('content-type', 'text/html; charset=utf-8');
    res.end(page('Sign in', `<form method="post"><input name="login" placeholder="name"><input name="password" type="password" placeholder="password">
      ${wantsSecondFactor ? '<input name="otp" placeholder="one-time code" autocomplete="one-time-code">' : ''}<button>Sign in</button></form>`));
    return;
  }
  if (prompt.name === 'login') {
    const fields = await form(req);
    const login = fields.get('login');
    const known = Object.hasOwn(ACCOUNTS, login) && fields.get('password') === PASSWORD;
    const otp = isCode(fields.get('otp'));
    if (!known || (wantsSecondFactor && !otp)) {
      res.statusCode = 401;
      res.setHeader('content-type', 'text/html; charset=utf-8');
      res.end(page('Sign in', '<p id="error">Wrong name, password or one-time code.</p>'));
      return;
    }
    await provider.interactionFinished(req, res, {
      login: { accountId: login, acr: otp ? STRONG : WEAK, amr: otp ? ['pwd', 'otp', 'mfa'] : ['pwd'] },
    }, { mergeWithLastSubmission: false });
    return;
  }
  // Consent: first-party clients, so it is given for whatever was asked.
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  for (const scope of prompt.details.missingOIDCScope || []) {
    if (params.client_id === NARROW && scope !== 'openid') grant.rejectOIDCScope(scope);
    else grant.addOIDCScope(scope);
  }
  grant.addOIDCClaims(prompt.details.missingOIDCClaims || []);
  await provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

async function phone(provider, req, res) {
  res.setHeader('content-type', 'application/json');
  if (req.method === 'GET') {
    res.end(JSON.stringify([...waiting].map(([id, { account, message }]) => ({ id, account, message }))));
    return;
  }
  const fields = await form(req);
  const asked = waiting.get(fields.get('id'));
  if (!asked || (fields.has('otp') && !isCode(fields.get('otp')))) {
    res.statusCode = 401;
    res.end('{}');
    return;
  }
  waiting.delete(fields.get('id'));
  if (!fields.has('otp')) {
    await provider.backchannelResult(asked.request, new errors.AccessDenied('denied on the phone'));
  } else {
    const grant = new provider.Grant({ accountId: asked.account, clientId: asked.request.clientId });
    grant.addOIDCScope(asked.request.params.scope);
    await grant.save();
    const signedIn = { acr: STRONG, amr: ['otp', 'swk', 'mfa'], authTime: Math.floor(Date.now() / 1000) };
    await provider.backchannelResult(asked.request, grant, signedIn);
  }
  res.end('{}');
}

// The library names no interval and never says slow_down (RFC 8628 sections 3.2 and 3.5).
const polls = new Map(); // device_code -> time of the last poll
const paced = async (ctx, next) => {
  await next();
  if (ctx.oidc?.route === 'device_authorization' && ctx.status === 200) {
    ctx.body.interval = INTERVAL_S;
  } else if (ctx.oidc?.route === 'token' && ctx.body?.error === 'authorization_pending' && ctx.oidc.params?.device_code) {
    const last = polls.get(ctx.oidc.params.device_code) ?? -Infinity;
    polls.set(ctx.oidc.params.device_code, Date.now());
    // A client's second may be a little shorter than ours.
    if (Date.now() - last < INTERVAL_S * 900) ctx.body = { error: 'slow_down', error_description: 'polled too soon' };
  }
};

// One with new keys takes over in mid-flow: the library would give each a memory of its own, but not to a subclass.
class SharedMemory extends MemoryAdapter {}
let provider;
let callback;
function serveWithNewKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: randomUUID() };
  provider = new Provider(ISSUER, { ...configuration(), adapter: SharedMemory, jwks: { keys: [key] } });
  provider.use(paced);
  callback = provider.callback();
}
serveWithNewKey();

async function rotate(_, req, res) {
  serveWithNewKey();
  res.end();
}

const server = createServer({ cert: readFileSync(args.cert), key: readFileSync(args.key) }, (req, res) => {
  const ours = [['/interaction/', interaction], ['/phone', phone], ['/rotate', rotate]].find(([path]) => req.url.startsWith(path));
  if (!ours) { callback(req, res); return; }
  ours[1](provider, req, res).catch((error) => { res.statusCode = 500; res.end(page('Error', `<p id="error">${escape(error.message)}</p>`)); });
});
server.listen(Number(args.port), '127.0.0.1');
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
