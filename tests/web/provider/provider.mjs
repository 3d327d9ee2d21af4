// A certified OpenID Connect provider on loopback, for tests: its sign-in page takes any login, which is the subject.
// Arguments: where the console's redirections come back, and the seconds that an ID token lasts. Prints its issuer.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [back, seconds] = process.argv.slice(2);
const groups = { "sub-li": ["claims-finance"], "sub-wang": ["claims-finance"], "sub-both": ["claims-finance", "claims-ops"] };
const listening = createServer().listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${listening.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "huzhu", client_secret: "secret-of-huzhu", redirect_uris: [back],
      grant_types: ["authorization_code"], response_types: ["code"],
    }],
    claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, preferred_username: sub.replace("sub-", ""), groups: groups[sub] ?? [] }),
    }),
    pkce: { required: () => true },
    ttl: { IdToken: Number(seconds) },
    cookies: { keys: ["test"] },
  });
  listening.on("request", provider.callback());
  console.log(issuer);
});
