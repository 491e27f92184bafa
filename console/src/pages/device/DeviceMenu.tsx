/** What can be done to a device: a new token, the data as a file, removal. */
import { ActionIcon, Button, Group, Menu, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Download, Ellipsis, KeyRound, Trash2 } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { withQuery } from "../../api/client";
import { actions, devicesQuery, sessionQuery } from "../../api/queries";
import type { Device } from "../../api/types";
import { toastDone, toastFailed } from "../../shell/toast";

interface Props {
  device: Device;
  onToken(token: string): void;
}

const EXPORT_ROWS = 100_000;

function useRotation({ device, onToken }: Props) {
  return useMutation({
    mutationFn: () => actions.rotateToken(device.id),
    onSuccess: ({ auth_token }) => {
      onToken(auth_token);
      toastDone("new token made; the old one no longer works");
    },
    onError: toastFailed,
  });
}

export function DeviceMenu(props: Props) {
  const [asked, setAsked] = useState<"rotate" | "remove" | null>(null);
  const csv = withQuery(`/api/devices/${encodeURIComponent(props.device.id)}/data`, {
    format: "csv",
    order: "desc",
    limit: EXPORT_ROWS,
  });
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label="device actions">
            <Ellipsis size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            component="a"
            href={csv}
            download={`${props.device.name}.csv`}
            leftSection={<Download size={15} />}
          >
            Readings as CSV
          </Menu.Item>
          <Menu.Item leftSection={<KeyRound size={15} />} onClick={() => setAsked("rotate")}>
            New token…
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item c="var(--bad)" leftSection={<Trash2 size={15} />} onClick={() => setAsked("remove")}>
            Remove device…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <RotateDialog {...props} opened={asked === "rotate"} onClose={() => setAsked(null)} />
      <RemoveDialog device={props.device} opened={asked === "remove"} onClose={() => setAsked(null)} />
    </>
  );
}

DeviceMenu.Rotate = function Rotate(props: Props) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button
        variant="default"
        size="compact-sm"
        leftSection={<KeyRound size={14} />}
        onClick={() => setOpened(true)}
      >
        New token
      </Button>
      <RotateDialog {...props} opened={opened} onClose={() => setOpened(false)} />
    </>
  );
};

interface DialogProps {
  opened: boolean;
  onClose(): void;
}

function RotateDialog({ opened, onClose, ...props }: Props & DialogProps) {
  const rotation = useRotation(props);
  const go = () => {
    onClose();
    rotation.mutate();
  };
  return (
    <Modal opened={opened} onClose={onClose} title="Make a new token?" size={440}>
      <p className="muted">
        {props.device.name} is cut off at once and cannot connect again until it has the new token.
      </p>
      <Group justify="flex-end" mt={20}>
        <Button variant="default" onClick={onClose}>
          Keep the old one
        </Button>
        <Button onClick={go}>Make a new token</Button>
      </Group>
    </Modal>
  );
}

function RemoveDialog({ device, opened, onClose }: { device: Device } & DialogProps) {
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const removal = useMutation({
    mutationFn: () => actions.removeDevice(device.id),
    onSuccess: () => {
      for (const { queryKey } of [devicesQuery, sessionQuery]) void client.invalidateQueries({ queryKey });
      toastDone(`${device.name} removed`);
      navigate("/devices");
    },
    onError: toastFailed,
  });
  return (
    <Modal opened={opened} onClose={onClose} title={`Remove ${device.name}?`} size={440}>
      <p className="muted">Its readings, events and token go with it. This cannot be undone.</p>
      <Group justify="flex-end" mt={20}>
        <Button variant="default" onClick={onClose}>
          Keep it
        </Button>
        <Button color="red" loading={removal.isPending} onClick={() => removal.mutate()}>
          Remove for good
        </Button>
      </Group>
    </Modal>
  );
}
