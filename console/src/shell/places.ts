/** The pages of the console, in the order of the navigation, with the keys that lead there. */
import { Gauge, type LucideIcon, RadioTower, UserRound } from "lucide-react";

interface Place {
  path: string;
  label: string;
  icon: LucideIcon;
  keys: string;
}

export const PLACES: Place[] = [
  { path: "/", label: "Overview", icon: Gauge, keys: "g o" },
  { path: "/devices", label: "Devices", icon: RadioTower, keys: "g d" },
  { path: "/account", label: "Account", icon: UserRound, keys: "g a" },
];
