/** What is on record about a device. */
import type { Device } from "../../api/types";
import { formatMoment } from "../../lib/format";
import { CopyButton } from "../../shell/Copy";
import { Facts } from "../../shell/Facts";

export function DeviceFacts({ device }: { device: Device }) {
  return (
    <Facts
      facts={[
        ["Id", <IdFact key="id" id={device.id} />],
        ["Type", device.device_type],
        ["Description", device.description],
        ["Added", formatMoment(Date.parse(device.created_at))],
        ["Firmware", device.firmware_version],
        ["IP address", device.ip_address],
        ["MAC address", device.mac_address],
      ]}
    />
  );
}

function IdFact({ id }: { id: string }) {
  return (
    <>
      <span className="mono">{id}</span> <CopyButton text={id} what="the id" />
    </>
  );
}
