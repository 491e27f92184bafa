/** Starts the console. */
import "./styles/mantine.css";
import "./styles/tokens.css";
import "./styles/base.css";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { Problem } from "./api/client";
import { adoptTheme, theme } from "./theme";

const MOST_RETRIES = 2;

function worthRetrying(failures: number, error: Error): boolean {
  const final = error instanceof Problem && error.status >= 400 && error.status < 500;
  return !final && failures < MOST_RETRIES;
}

const client = new QueryClient({
  defaultOptions: { queries: { retry: worthRetrying, refetchOnWindowFocus: false } },
});

adoptTheme();

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <MantineProvider
          theme={theme}
          defaultColorScheme="auto"
          withCssVariables={false}
          withGlobalClasses={false}
        >
          <App />
        </MantineProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
