/** One search parameter of the address as state: every view can be linked to and survives a reload. */
import { useCallback } from "react";
import { useSearchParams } from "wouter";

/** The parameter `name`, or `fallback`; setting it to the fallback removes it from the address. */
export function useUrlState(name: string, fallback = ""): [string, (value: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (value: string) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          if (value === fallback) after.delete(name);
          else after.set(name, value);
          return after;
        },
        { replace: true },
      ),
    [name, fallback, setParams],
  );
  return [params.get(name) ?? fallback, set];
}
