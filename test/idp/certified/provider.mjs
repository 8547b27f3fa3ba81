// An OpenID provider (oidc-provider, certified) for one client. Whoever logs in by a name is in the groups that stand
// before its dash: "ops-ana" is ana of ops. It says on a line where it is.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [clientID, clientSecret, redirect] = process.argv.slice(2);

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: clientID, client_secret: clientSecret, redirect_uris: [redirect],
      grant_types: ["authorization_code"], response_types: ["code"],
    }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["groups"] },
    pkce: { required: () => true },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: `${sub}@x.example`, email_verified: true, groups: [sub.split("-")[0]] }),
    }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
