import { afterEach, describe, expect, test, vi } from "vitest";
import { call, Problem, withQuery } from "../src/api/client";
import { curlOf, entriesOf, tell } from "../src/docs/openapi";

afterEach(() => vi.unstubAllGlobals());

function answering(status: number, body: string, type: string): void {
  vi.stubGlobal("fetch", async () => new Response(body, { status, headers: { "content-type": type } }));
}

describe("the HTTP client", () => {
  test("tells a refusal in the server's words, with its hint", async () => {
    const body = JSON.stringify({
      code: "quota_exceeded",
      message: "50 devices are yours already",
      hint: "remove one",
    });
    answering(409, body, "application/problem+json");
    const problem = await call("/api/devices").catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({
      status: 409,
      code: "quota_exceeded",
      message: "50 devices are yours already",
      hint: "remove one",
    });
  });

  test("survives an answer that is no JSON at all", async () => {
    answering(502, "<html>bad gateway</html>", "text/html");
    await expect(call("/api/devices")).rejects.toMatchObject({
      status: 502,
      message: "the server answered 502",
    });
  });

  test("says so when nobody answers", async () => {
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("failed");
    });
    await expect(call("/api/devices")).rejects.toMatchObject({ status: 0, code: "unreachable" });
  });

  test("repeats arrays in a query and leaves out what is not there", () => {
    expect(withQuery("/a", { id: ["1", "2"], key: undefined, limit: 5 })).toBe("/a?id=1&id=2&limit=5");
    expect(withQuery("/a", {})).toBe("/a");
  });
});

describe("the API reference", () => {
  const api = {
    info: { title: "T", version: "1" },
    paths: {
      "/api/devices/{device_id}": {
        put: {
          tags: ["devices"],
          requestBody: {
            content: { "application/json": { schema: { $ref: "#/components/schemas/Change" } } },
          },
          responses: {},
        },
      },
    },
    components: {
      schemas: {
        Change: {
          type: "object",
          required: ["name"],
          properties: {
            name: { type: "string" },
            group_id: { anyOf: [{ type: "string" }, { type: "null" }] },
          },
        },
      },
    },
  };

  test("tells a schema as a type", () => {
    expect(tell({ $ref: "#/components/schemas/Change" }, api)).toBe(
      "{\n  name: string,\n  group_id?: string | null\n}",
    );
  });

  test("offers a call to copy", () => {
    const [entry] = entriesOf(api);
    if (!entry) throw new Error("no entry");
    const curl = curlOf(entry, "http://h", api);
    expect(curl).toContain("-X PUT http://h/api/devices/<device_id>");
    expect(curl).toContain('{"name":"…"}');
  });
});
