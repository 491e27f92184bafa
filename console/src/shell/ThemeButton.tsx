/** Light, dark, or as the machine says; one button that walks round the three. */
import { ActionIcon, Tooltip, useMantineColorScheme } from "@mantine/core";
import { Monitor, Moon, Sun } from "lucide-react";

const NEXT = { light: "dark", dark: "auto", auto: "light" } as const;
const ICON = { light: Sun, dark: Moon, auto: Monitor };

export function ThemeButton() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Icon = ICON[colorScheme];
  const label = `colours: ${colorScheme}; change to ${NEXT[colorScheme]}`;
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        c="var(--muted)"
        size={32}
        aria-label={label}
        onClick={() => setColorScheme(NEXT[colorScheme])}
      >
        <Icon size={16} />
      </ActionIcon>
    </Tooltip>
  );
}
