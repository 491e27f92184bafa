/** Starts the API reference; a page of its own, so that it needs no log-in. */
import "../styles/tokens.css";
import "../styles/base.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { DocsPage } from "./DocsPage";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <DocsPage />
    </StrictMode>,
  );
}
