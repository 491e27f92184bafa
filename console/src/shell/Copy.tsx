/** Text to take away: a button, and a block of code with one. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Check, Copy as CopyIcon } from "lucide-react";
import classes from "./Copy.module.css";

export function CopyButton({ text, what }: { text: string; what: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  const label = clipboard.copied ? "copied" : `copy ${what}`;
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        c="var(--muted)"
        aria-label={label}
        onClick={() => clipboard.copy(text)}
      >
        {clipboard.copied ? <Check size={15} /> : <CopyIcon size={15} />}
      </ActionIcon>
    </Tooltip>
  );
}

export function CodeBlock({ code, what }: { code: string; what: string }) {
  return (
    <div className={classes.block}>
      <pre tabIndex={0} role="region" aria-label={what}>
        <code>{code}</code>
      </pre>
      <div className={classes.button}>
        <CopyButton text={code} what={what} />
      </div>
    </div>
  );
}

/** A secret that is shown this once. */
export function SecretField({ secret, what }: { secret: string; what: string }) {
  return (
    <div className={classes.secret}>
      <code className="clip">{secret}</code>
      <CopyButton text={secret} what={what} />
    </div>
  );
}
