// An OIDC provider with people of its own. `node provider.mjs PORT SERVER` runs it until its input ends.
//
// Its keys are new at each start, so that a restart is what a rotation looks like from outside.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { Provider } from 'oidc-provider';

const [port, hitl] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const AUDIENCE = 'https://hitl.example';
const GROUPS = { ann: ['everybody', 'approvers'], bob: ['everybody'] };

function signingKey(alg, ...kind) {
  const jwk = generateKeyPairSync(...kind).privateKey.export({ format: 'jwk' });
  return { ...jwk, alg, kid: randomUUID(), use: 'sig' };
}

const named = (id) => `${id[0].toUpperCase()}${id.slice(1)} Lee`;
const provider = new Provider(issuer, {
  jwks: { keys: [signingKey('RS256', 'rsa', { modulusLength: 2048 }), signingKey('EdDSA', 'ed25519')] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'EdDSA'] },
  clients: [
    {
      client_id: 'hitl',
      client_secret: 'a secret: of two & no more',
      redirect_uris: [`${hitl}/sign-in/callback`],
      post_logout_redirect_uris: [`${hitl}/`],
      backchannel_logout_uri: `${hitl}/sign-in/back-channel`,
      backchannel_logout_session_required: true,
    },
    {
      client_id: 'pipeline',
      client_secret: 'another secret',
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    },
  ],
  claims: { openid: ['sub', 'groups'], profile: ['name'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: named(id), groups: GROUPS[id] ?? [] }),
  }),
  cookies: { keys: ['for tests'] },
  // Its own refuses the addresses of this machine.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    backchannelLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_, client) => (client.clientId === 'pipeline' ? AUDIENCE : undefined),
      getResourceServerInfo: () => ({
        scope: '',
        audience: AUDIENCE,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'EdDSA' } },
      }),
    },
  },
});
const server = provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
process.stdin.resume().on('end', () => {
  server.closeAllConnections();
  process.exit();
});
