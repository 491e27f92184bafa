/** The part of OpenAPI the reference page reads, and how a schema is told as text. */

export interface Schema {
  $ref?: string;
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  default?: unknown;
  format?: string;
  description?: string;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  additionalProperties?: boolean | Schema;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

type Content = Record<string, { schema?: Schema }>;

export interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { description?: string; content?: Content }>;
}

export interface Api {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}

export interface Entry {
  id: string;
  method: string;
  path: string;
  tag: string;
  operation: Operation;
}

const METHODS = ["get", "post", "put", "patch", "delete"];
const DEEPEST = 5;

export function entriesOf(api: Api): Entry[] {
  return Object.entries(api.paths).flatMap(([path, operations]) =>
    METHODS.flatMap((method) => {
      const operation = operations[method];
      const id = `${method}-${path.replace(/[^a-z]+/gi, "-").replace(/-$/, "")}`;
      return operation ? [{ id, method, path, tag: operation.tags?.[0] ?? "other", operation }] : [];
    }),
  );
}

export function bodySchema(content: Content | undefined): Schema | null {
  return content?.["application/json"]?.schema ?? null;
}

function resolve(schema: Schema, api: Api): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return name ? (api.components?.schemas?.[name] ?? {}) : schema;
}

/** A schema as a type one can read: `{ name: string, group_id?: string | null }` over several lines. */
export function tell(schema: Schema, api: Api, depth = 0): string {
  const whole = resolve(schema, api);
  const choices = whole.anyOf ?? whole.oneOf;
  if (choices) return [...new Set(choices.map((choice) => tell(choice, api, depth)))].join(" | ");
  if (whole.enum) return whole.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (whole.const !== undefined) return JSON.stringify(whole.const);
  if (whole.type === "array") return `[${whole.items ? tell(whole.items, api, depth) : "any"}, …]`;
  if (whole.type === "object" || whole.properties) return tellObject(whole, api, depth);
  return whole.format ?? whole.type ?? "any";
}

function tellObject({ properties, required }: Schema, api: Api, depth: number): string {
  const names = Object.entries(properties ?? {});
  if (names.length === 0 || depth >= DEEPEST) return "object";
  const indent = "  ".repeat(depth + 1);
  const lines = names.map(([name, schema]) => {
    const optional = required?.includes(name) ? "" : "?";
    return `${indent}${name}${optional}: ${tell(schema, api, depth + 1)}`;
  });
  return `{\n${lines.join(",\n")}\n${"  ".repeat(depth)}}`;
}

/** One call to copy: path parameters as placeholders, a body of the required fields. */
export function curlOf({ method, path, operation }: Entry, origin: string, api: Api): string {
  const flags = method === "get" ? "" : ` -X ${method.toUpperCase()}`;
  const lines = [
    `curl${flags} ${origin}${path.replace(/\{(\w+)\}/g, "<$1>")}`,
    '-H "Authorization: Bearer <key>"',
  ];
  const schema = bodySchema(operation.requestBody?.content);
  if (schema) {
    const body = resolve((schema.oneOf ?? schema.anyOf)?.[0] ?? schema, api);
    const example = Object.fromEntries((body.required ?? []).map((name) => [name, "…"]));
    lines.push('-H "Content-Type: application/json"', `-d '${JSON.stringify(example)}'`);
  }
  return lines.join(" \\\n  ");
}
