/**
 * The filter box: plain words look at name, type and id; `battery<20`, `state=docked` and `status:offline` look at
 * what the device says. All terms must hold.
 */
import type { Value } from "../api/types";

export interface Subject {
  name: string;
  type: string;
  id: string;
  status: string;
  read(key: string): Value | undefined;
}

export type Term =
  | { kind: "word"; word: string }
  | { kind: "field"; key: string; operator: "<" | ">" | "<=" | ">=" | "=" | "!="; operand: string };

const FIELD = /^([a-z_][\w.]*)(<=|>=|!=|<|>|=|:)(.+)$/i;

export function parseFilter(text: string): Term[] {
  return text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "")
    .map(termOf);
}

function termOf(word: string): Term {
  const match = FIELD.exec(word);
  const [, key, operator, operand] = match ?? [];
  if (!key || !operator || !operand) return { kind: "word", word: word.toLowerCase() };
  const same = operator === ":" ? "=" : operator;
  return { kind: "field", key, operator: same as "=", operand: operand.toLowerCase() };
}

export function fits(terms: Term[], subject: Subject): boolean {
  return terms.every((term) =>
    term.kind === "word" ? fitsWord(term.word, subject) : fitsField(term, subject),
  );
}

function fitsWord(word: string, { name, type, id }: Subject): boolean {
  return [name, type, id].some((text) => text.toLowerCase().includes(word));
}

function fitsField(term: Term & { kind: "field" }, subject: Subject): boolean {
  const held = fieldOf(term.key, subject);
  if (held === undefined) return false;
  const number = Number(term.operand);
  if (typeof held === "number" && !Number.isNaN(number)) return compare(held, term.operator, number);
  const text = String(typeof held === "object" ? JSON.stringify(held) : held).toLowerCase();
  return compareText(text, term.operator, term.operand);
}

function fieldOf(key: string, subject: Subject): Value | undefined {
  if (key === "status") return subject.status;
  if (key === "type") return subject.type;
  if (key === "name") return subject.name;
  return subject.read(key);
}

function compare(held: number, operator: string, wanted: number): boolean {
  switch (operator) {
    case "<":
      return held < wanted;
    case "<=":
      return held <= wanted;
    case ">":
      return held > wanted;
    case ">=":
      return held >= wanted;
    case "!=":
      return held !== wanted;
    default:
      return held === wanted;
  }
}

function compareText(held: string, operator: string, wanted: string): boolean {
  if (operator === "=") return held === wanted || held.startsWith(wanted);
  return operator === "!=" && held !== wanted;
}
