/** The list of keys, on `?`. */
import { Modal } from "@mantine/core";
import classes from "./ShortcutsHelp.module.css";

const GROUPS: [string, [string, string][]][] = [
  [
    "Anywhere",
    [
      ["Ctrl K", "search devices, pages and actions"],
      ["/", "filter, or search"],
      ["g o", "overview"],
      ["g d", "devices"],
      ["g a", "account"],
      ["?", "this list"],
    ],
  ],
  [
    "Devices",
    [
      ["j  k", "next, previous row"],
      ["Enter", "open the row"],
      ["n", "add a device"],
      ["Esc", "leave the filter"],
    ],
  ],
  [
    "Map",
    [
      ["← ↑ ↓ →", "pan"],
      ["+  −", "zoom"],
      ["0", "show the whole fleet"],
    ],
  ],
  [
    "Charts",
    [
      ["drag", "zoom all charts to that time"],
      ["double click", "back to live"],
    ],
  ],
];

export function ShortcutsHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard" size={620}>
      <div className={classes.groups}>
        {GROUPS.map(([title, keys]) => (
          <section key={title}>
            <h2>{title}</h2>
            <dl>
              {keys.map(([key, meaning]) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
