/** The API reference, drawn from the server's own OpenAPI file. */
import { useEffect, useMemo, useState } from "react";
import { Mark } from "../shell/Mark";
import classes from "./DocsPage.module.css";
import { type Api, bodySchema, curlOf, type Entry, entriesOf, type Parameter, tell } from "./openapi";

type Loaded = { api: Api } | { failed: string } | null;

function useApi(): Loaded {
  const [loaded, setLoaded] = useState<Loaded>(null);
  useEffect(() => {
    fetch("/openapi.json")
      .then((response) => response.json() as Promise<Api>)
      .then((api) => setLoaded({ api }))
      .catch(() => setLoaded({ failed: "the server does not answer" }));
  }, []);
  return loaded;
}

function fitsFilter({ method, path, operation }: Entry, filter: string): boolean {
  const text = `${method} ${path} ${operation.summary ?? ""}`.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export function DocsPage() {
  const loaded = useApi();
  const [filter, setFilter] = useState("");
  const api = loaded && "api" in loaded ? loaded.api : null;
  const tags = useMemo(() => {
    const fitting = api ? entriesOf(api).filter((entry) => fitsFilter(entry, filter)) : [];
    return [...Map.groupBy(fitting, ({ tag }) => tag)];
  }, [api, filter]);
  return (
    <div className={classes.page}>
      <header className={classes.side}>
        <a href="/" className={classes.brand} aria-label="Mooring, console">
          <Mark />
          <span>Mooring</span>
        </a>
        <input
          className={classes.filter}
          placeholder="Filter"
          aria-label="filter operations"
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
        <nav className={classes.nav} aria-label="operations">
          {tags.map(([tag, entries]) => (
            <section key={tag}>
              <h2>{tag}</h2>
              {entries.map(({ id, method, operation, path }) => (
                <a key={id} href={`#${id}`}>
                  <Method method={method} />
                  <span className="clip">{operation.summary ?? path}</span>
                </a>
              ))}
            </section>
          ))}
        </nav>
      </header>
      <main className={classes.main}>
        <h1>API reference</h1>
        {api && <Intro api={api} />}
        {loaded && "failed" in loaded && <p role="alert">{loaded.failed}</p>}
        {api &&
          tags.flatMap(([, entries]) =>
            entries.map((entry) => <Operation key={entry.id} entry={entry} api={api} />),
          )}
      </main>
    </div>
  );
}

function Intro({ api }: { api: Api }) {
  return (
    <p className={classes.intro}>
      {api.info.title} {api.info.version}. Every route takes a session cookie, a bearer token or an{" "}
      <code>X-API-Key</code>; devices use their own token. Refusals are <code>application/problem+json</code>{" "}
      with a stable <code>code</code> and, where there is a way out, a <code>hint</code>. The same as a file:{" "}
      <a href="/openapi.json">openapi.json</a>.
    </p>
  );
}

function Method({ method }: { method: string }) {
  return (
    <span className={classes.method} data-method={method}>
      {method === "delete" ? "DEL" : method.toUpperCase()}
    </span>
  );
}

function Operation({ entry, api }: { entry: Entry; api: Api }) {
  const { id, method, path, operation } = entry;
  const body = bodySchema(operation.requestBody?.content);
  return (
    <section id={id} className={classes.operation} aria-label={operation.summary ?? path}>
      <h2>{operation.summary ?? path}</h2>
      <p className={classes.path}>
        <Method method={method} />
        <code>{path}</code>
      </p>
      {operation.description && <p className="muted">{operation.description.replaceAll("``", "")}</p>}
      <div className={classes.columns}>
        <div>
          <Parameters parameters={operation.parameters ?? []} />
          {body && <Block title="Body" text={tell(body, api)} />}
        </div>
        <div>
          <Block title="Call" text={curlOf(entry, location.origin, api)} />
          {Object.entries(operation.responses).map(([status, { description, content }]) => {
            const schema = bodySchema(content);
            const title = `${status} ${description ?? ""}`;
            return (
              <Block key={status} title={title} text={schema && status < "300" ? tell(schema, api) : null} />
            );
          })}
        </div>
      </div>
    </section>
  );
}

function Parameters({ parameters }: { parameters: Parameter[] }) {
  if (parameters.length === 0) return null;
  return (
    <>
      <h3>Parameters</h3>
      <dl className={classes.parameters}>
        {parameters.map(({ name, in: place, required, description, schema }) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
              {required && <span className="faint"> required</span>}
            </dt>
            <dd>
              {schema && tell(schema, { info: { title: "", version: "" }, paths: {} })}, in {place}
              {description && `. ${description}`}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Block({ title, text }: { title: string; text: string | null }) {
  return (
    <>
      <h3>{title}</h3>
      {text && (
        <pre className={classes.block} tabIndex={0}>
          {text}
        </pre>
      )}
    </>
  );
}
