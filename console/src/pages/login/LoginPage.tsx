/** The way in. */
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { actions, sessionQuery } from "../../api/queries";
import { Backdrop } from "../../map/Backdrop";
import { Mark } from "../../shell/Mark";
import { Refusal } from "../../shell/Refusal";
import { ThemeButton } from "../../shell/ThemeButton";
import classes from "./LoginPage.module.css";

export function LoginPage() {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const logIn = useMutation({
    mutationFn: () => actions.logIn(name.trim(), password),
    onSuccess: () => client.resetQueries({ queryKey: sessionQuery.queryKey }),
  });
  useEffect(() => {
    document.title = "Log in · Mooring";
  }, []);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    logIn.mutate();
  };
  return (
    <main className={classes.page}>
      <Backdrop />
      <div className={classes.theme}>
        <ThemeButton />
      </div>
      <form className={classes.form} onSubmit={onSubmit}>
        <Mark size={40} />
        <h1>Log in to Mooring</h1>
        <TextInput
          label="User name or email"
          name="username"
          autoComplete="username"
          autoFocus
          required
          withAsterisk={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          visibilityToggleButtonProps={{ "aria-label": "show or hide the password" }}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {logIn.error && <Refusal error={logIn.error} />}
        <Button type="submit" fullWidth loading={logIn.isPending}>
          Log in
        </Button>
        <p className={classes.hint}>
          The first start prints the administrator’s password once, in the terminal that runs the server.
        </p>
      </form>
    </main>
  );
}
