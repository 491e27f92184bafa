/** Adds a device in two steps: what it is, then how it connects. */
import { Autocomplete, Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useLocation } from "wouter";
import { actions, devicesQuery, sessionQuery } from "../../api/queries";
import type { CreatedDevice } from "../../api/types";
import { Connect } from "../../connect/Connect";
import { Refusal } from "../../shell/Refusal";

interface Props {
  opened: boolean;
  onClose(): void;
}

const USUAL_TYPES = ["mobile_robot", "sensor", "gateway", "battery_pack", "controller", "camera"];

export function AddDevice({ opened, onClose }: Props) {
  const [created, setCreated] = useState<CreatedDevice | null>(null);
  const close = () => {
    onClose();
    setCreated(null);
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={created ? `Connect ${created.name}` : "Add a device"}
      size={created ? 720 : 460}
    >
      {created ? <Connected device={created} onClose={close} /> : <Describe onCreated={setCreated} />}
    </Modal>
  );
}

function Connected({ device, onClose }: { device: CreatedDevice; onClose(): void }) {
  const [, navigate] = useLocation();
  return (
    <Stack gap={20}>
      <Connect id={device.id} token={device.auth_token} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Done
        </Button>
        <Button onClick={() => navigate(`/devices/${encodeURIComponent(device.id)}`)}>Open device</Button>
      </Group>
    </Stack>
  );
}

function Describe({ onCreated }: { onCreated(device: CreatedDevice): void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [type, setType] = useState("sensor");
  const [description, setDescription] = useState("");
  const add = useMutation({
    mutationFn: () =>
      actions.addDevice({
        name: name.trim(),
        device_type: type.trim(),
        description: description.trim() || undefined,
      }),
    onSuccess: (device) => {
      for (const { queryKey } of [devicesQuery, sessionQuery]) void client.invalidateQueries({ queryKey });
      onCreated(device);
    },
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <form onSubmit={onSubmit}>
      <Stack gap={16}>
        <TextInput
          label="Name"
          placeholder="Quay crane 3"
          required
          withAsterisk={false}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Autocomplete
          label="Type"
          description="any word; devices of one type are looked at together"
          required
          withAsterisk={false}
          data={USUAL_TYPES}
          value={type}
          onChange={setType}
        />
        <TextInput
          label="Description"
          placeholder="optional"
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        {add.error && <Refusal error={add.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={add.isPending}>
            Add device
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
