/** Everything a device needs to say its first word: token, code in the language at hand, and the box that turns green. */
import { Tabs } from "@mantine/core";
import { CodeBlock, SecretField } from "../shell/Copy";
import classes from "./Connect.module.css";
import { FirstMessage } from "./FirstMessage";
import { snippetsFor, TOKEN_PLACEHOLDER } from "./snippets";

export function Connect({ id, token }: { id: string; token: string | null }) {
  const snippets = snippetsFor({ origin: location.origin, deviceId: id, token: token ?? TOKEN_PLACEHOLDER });
  return (
    <div className={classes.connect}>
      {token && (
        <div>
          <p className={classes.label}>Device token, shown only now</p>
          <SecretField secret={token} what="the token" />
        </div>
      )}
      <Tabs defaultValue="curl" keepMounted={false}>
        <Tabs.List aria-label="language">
          {snippets.map(({ id: tab, label }) => (
            <Tabs.Tab key={tab} value={tab}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {snippets.map(({ id: tab, label, about, code }) => (
          <Tabs.Panel key={tab} value={tab} pt={12}>
            <p className={classes.about}>{about}</p>
            <CodeBlock code={code} what={`the ${label} code`} />
          </Tabs.Panel>
        ))}
      </Tabs>
      <FirstMessage id={id} />
    </div>
  );
}
