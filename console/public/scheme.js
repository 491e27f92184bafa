/* Sets the colour scheme before the first paint, so a dark console never flashes white. */
(() => {
  const stored = localStorage.getItem("mantine-color-scheme-value");
  const wanted = stored === "light" || stored === "dark" ? stored : null;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-mantine-color-scheme", wanted ?? (dark ? "dark" : "light"));
})();
