/** Keys for programs: made, shown once, listed, revoked. */
import { Button, Skeleton, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { actions, keysQuery } from "../../api/queries";
import type { ApiKey } from "../../api/types";
import { formatAgo, formatMoment, momentOf } from "../../lib/format";
import { useNow } from "../../live/hooks";
import { SecretField } from "../../shell/Copy";
import { Trouble } from "../../shell/Trouble";
import { toastDone, toastFailed } from "../../shell/toast";
import classes from "./AccountPage.module.css";

export function ApiKeys() {
  const { data: keys, error, refetch } = useQuery(keysQuery);
  return (
    <div className={classes.keys}>
      <NewKey />
      {error && <Trouble error={error} retry={refetch} />}
      {!keys && !error && <Skeleton height={48} mx={16} mb={12} />}
      {keys?.length === 0 && (
        <p className={`${classes.row} muted`}>No keys yet. A key lets a program do what you may do.</p>
      )}
      {keys && keys.length > 0 && (
        <ul className={classes.list}>
          {keys.map((key) => (
            <KeyRow key={key.id} apiKey={key} />
          ))}
        </ul>
      )}
    </div>
  );
}

function NewKey() {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [secret, setSecret] = useState<string | null>(null);
  const create = useMutation({
    mutationFn: () => actions.createKey(name.trim()),
    onSuccess: ({ key }) => {
      setSecret(key);
      setName("");
      void client.invalidateQueries({ queryKey: keysQuery.queryKey });
    },
    onError: toastFailed,
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <>
      <form className={classes.new} onSubmit={onSubmit}>
        <TextInput
          label="Name of a new key"
          placeholder="nightly export"
          required
          withAsterisk={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={create.isPending}>
          Create key
        </Button>
      </form>
      {secret && (
        <div className={classes.fresh} role="status">
          <p>Copy the key now: it is kept only as a hash and never shown again.</p>
          <SecretField secret={secret} what="the key" />
        </div>
      )}
    </>
  );
}

function KeyRow({ apiKey }: { apiKey: ApiKey }) {
  const client = useQueryClient();
  const now = useNow();
  const [asked, setAsked] = useState(false);
  const revoke = useMutation({
    mutationFn: () => actions.revokeKey(apiKey.id),
    onSuccess: () => {
      toastDone(`${apiKey.name} revoked`);
      void client.invalidateQueries({ queryKey: keysQuery.queryKey });
    },
    onError: toastFailed,
  });
  return (
    <li className={classes.row}>
      <span className="clip">{apiKey.name}</span>
      <span className="mono muted clip">{apiKey.prefix}…</span>
      <span className="muted small">
        made {formatMoment(Date.parse(apiKey.created_at))}, used{" "}
        {formatAgo(momentOf(apiKey.last_used_at), now)}
      </span>
      <Button
        variant={asked ? "filled" : "default"}
        color={asked ? "red" : undefined}
        size="compact-sm"
        loading={revoke.isPending}
        onBlur={() => setAsked(false)}
        onClick={() => (asked ? revoke.mutate() : setAsked(true))}
      >
        {asked ? "Really revoke" : "Revoke"}
      </Button>
    </li>
  );
}
