/** Two moments chosen by hand. */
import { Button, Popover, Stack, TextInput } from "@mantine/core";
import { CalendarRange } from "lucide-react";
import { type FormEvent, useState } from "react";
import type { Range } from "../../charts/range";

interface Props {
  range: Range;
  onChoose(from: number, to: number): void;
}

/** Local time as `datetime-local` wants it. */
function inputText(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

export function CustomRange({ range, onChoose }: Props) {
  const [opened, setOpened] = useState(false);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const open = () => {
    setFrom(inputText(range.from));
    setTo(inputText(range.to));
    setOpened(true);
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    onChoose(new Date(from).getTime(), new Date(to).getTime());
    setOpened(false);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" trapFocus withRoles={false}>
      <Popover.Target>
        <Button
          variant={range.live ? "default" : "light"}
          leftSection={<CalendarRange size={15} />}
          aria-expanded={opened}
          onClick={() => (opened ? setOpened(false) : open())}
        >
          Custom
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={onSubmit}>
          <Stack gap={12}>
            <TextInput
              type="datetime-local"
              label="From"
              required
              withAsterisk={false}
              value={from}
              onChange={(event) => setFrom(event.currentTarget.value)}
            />
            <TextInput
              type="datetime-local"
              label="To"
              required
              withAsterisk={false}
              min={from}
              value={to}
              error={from && to && from >= to ? "must be later than From" : null}
              onChange={(event) => setTo(event.currentTarget.value)}
            />
            <Button type="submit" disabled={!from || !to || from >= to}>
              Show
            </Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
