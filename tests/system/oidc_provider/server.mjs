// A certified OpenID Provider with a second factor, for the device flow and step-up.
//
//   node server.mjs --cert FILE --key FILE --ca FILE [--port N] [--seed BASE32] [--ignore-acr]
//
// Prints one JSON line on standard output when it listens: {"issuer", "port", "accounts"}.
// Accounts: alice and bob, password "correct horse", TOTP seed as given (both share it).
import { createServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Provider, interactionPolicy } from 'oidc-provider';
import * as OTPAuth from 'otpauth';

const { values: args } = parseArgs({
  options: {
    cert: { type: 'string' }, key: { type: 'string' }, port: { type: 'string', default: '0' },
    seed: { type: 'string', default: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' },
    'ignore-acr': { type: 'boolean', default: false },
    'id-token-ttl': { type: 'string', default: '300' },
  },
});

const WEAK = 'urn:stepup:1fa';
const STRONG = 'urn:stepup:mfa';
const RANK = { [WEAK]: 1, [STRONG]: 2 };
const PASSWORD = 'correct horse';
const ACCOUNTS = {
  alice: { groups: ['dev'], email: 'alice@example.com' },
  bob: { groups: ['ops'], email: 'bob@example.com' },
};

const policy = interactionPolicy.base();
if (!args['ignore-acr']) {
  // Without this check acr_values is voluntary and never asks for anything.
  policy.get('login').checks.add(new interactionPolicy.Check('acr_values', 'requested ACR not satisfied', (ctx) => {
    const wanted = (ctx.oidc.params.acr_values || '').split(' ').filter((v) => RANK[v]);
    return wanted.length > 0 && !wanted.some((v) => (RANK[ctx.oidc.acr] || 0) >= RANK[v]);
  }));
}

const client = (clientId) => ({
  client_id: clientId, token_endpoint_auth_method: 'none', application_type: 'native',
  redirect_uris: ['http://127.0.0.1/callback'], response_types: ['code'],
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'authorization_code'],
});

const escape = (s) => String(s).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const page = (title, body) => `<!DOCTYPE html><html><head><meta charset="utf-8"><title>${escape(title)}</title></head><body><h1>${escape(title)}</h1>${body}</body></html>`;

function configuration() {
  return {
    clients: [client('kubectl'), client('kubectl-elevated')],
    acrValues: [WEAK, STRONG],
    claims: { openid: ['sub', 'acr', 'amr', 'auth_time'], groups: ['groups'], email: ['email', 'email_verified'], acr: null, amr: null, auth_time: null, iss: null, sid: null },
    conformIdTokenClaims: false,
    scopes: ['openid', 'offline_access', 'email', 'groups'],
    extraParams: ['stepup_command'],
    ttl: { IdToken: Number(args['id-token-ttl']), AccessToken: 300, DeviceCode: 600, Session: 3600, Interaction: 600, Grant: 3600 },
    cookies: { keys: ['test-only-cookie-key'] },
    interactions: { policy, url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      claimsParameter: { enabled: true },
      revocation: { enabled: true },
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
  const wantsSecondFactor = prompt.name === 'login' && (params.acr_values || '').split(' ').includes(STRONG) && !args['ignore-acr'];
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
    const totp = new OTPAuth.TOTP({ secret: OTPAuth.Secret.fromBase32(args.seed) });
    const otp = fields.get('otp') && totp.validate({ token: fields.get('otp'), window: 1 }) !== null;
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
  grant.addOIDCScope([...(prompt.details.missingOIDCScope || [])].join(' '));
  grant.addOIDCClaims(prompt.details.missingOIDCClaims || []);
  await provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

const server = createServer({ cert: readFileSync(args.cert), key: readFileSync(args.key) });
server.listen(Number(args.port), '127.0.0.1', () => {
  const { port } = server.address();
  const issuer = `https://localhost:${port}`;
  const provider = new Provider(issuer, configuration());
  const callback = provider.callback();
  server.on('request', (req, res) => {
    if (!req.url.startsWith('/interaction/')) { callback(req, res); return; }
    interaction(provider, req, res).catch((error) => { res.statusCode = 500; res.end(page('Error', `<p id="error">${escape(error.message)}</p>`)); });
  });
  process.stdout.write(`${JSON.stringify({ issuer, port, accounts: Object.keys(ACCOUNTS) })}\n`);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
