/**
 * Mantine's theme, and its variables as a constructed style sheet.
 *
 * Mantine would write them into a `<style>` tag, which `style-src 'self'` forbids; a constructed sheet is allowed, so the
 * provider runs without tags and this module hands over the same rules.
 */
import {
  convertCssVariables,
  createTheme,
  DEFAULT_THEME,
  defaultCssVariablesResolver,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type MantineThemeOverride,
  Modal,
  ModalOverlay,
  ModalRoot,
  mergeMantineTheme,
  Tooltip,
} from "@mantine/core";

const tide: MantineColorsTuple = [
  "#e9f6fa",
  "#d5ecf3",
  "#abd9e7",
  "#84c9dd",
  "#74c3d9",
  "#6abfd8",
  "#62bcd8",
  "#2a8daa",
  "#0b6b86",
  "#07556b",
];

/** Mantine's greys, tinted like the tokens. */
const gray: MantineColorsTuple = [
  "#f5f7f9",
  "#eff2f5",
  "#e2e7ec",
  "#d5dce3",
  "#c9d1da",
  "#6f7d8a",
  "#51606e",
  "#3a4753",
  "#232d37",
  "#10171e",
];

const dark: MantineColorsTuple = [
  "#e7ecf1",
  "#c4cdd6",
  "#a0adb9",
  "#75838f",
  "#36414d",
  "#29323b",
  "#171d24",
  "#13181e",
  "#0f1419",
  "#0c1014",
];

const red: MantineColorsTuple = [
  "#fdeae8",
  "#fbd5d2",
  "#f6aaa4",
  "#f17f76",
  "#ec6259",
  "#d9483f",
  "#c9423a",
  "#b8352e",
  "#b42f28",
  "#8c231d",
];

/** Text on a filled primary control: Mantine decides it for the light scheme only, and our dark primary is a light one. */
function contrastOnPrimary(input: Parameters<typeof defaultVariantColorsResolver>[0]) {
  const resolved = defaultVariantColorsResolver(input);
  const isPrimary = input.color === undefined || input.color === theme.primaryColor;
  const filled = isPrimary && input.variant === "filled";
  return filled ? { ...resolved, color: "var(--mantine-primary-color-contrast)" } : resolved;
}

export const theme: MantineThemeOverride = createTheme({
  fontFamily: "var(--font)",
  fontFamilyMonospace: "var(--mono)",
  colors: { tide, gray, dark, red },
  primaryColor: "tide",
  primaryShade: { light: 8, dark: 6 },
  autoContrast: true,
  variantColorResolver: contrastOnPrimary,
  defaultRadius: 7,
  fontSizes: { xs: "12px", sm: "13.5px", md: "14px", lg: "16px", xl: "18px" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Modal: Modal.extend({
      defaultProps: {
        lockScroll: false,
        radius: 14,
        centered: false,
        yOffset: "9vh",
        closeButtonProps: { "aria-label": "close" },
        transitionProps: { transition: "fade", duration: 120 },
      },
    }),
    ModalRoot: ModalRoot.extend({
      defaultProps: { lockScroll: false, radius: 14, transitionProps: { transition: "fade", duration: 120 } },
    }),
    ModalOverlay: ModalOverlay.extend({ defaultProps: { backgroundOpacity: 0.45 } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 350, fz: 12.5, radius: 6 } }),
  },
});

const own = {
  "--mantine-color-body": "var(--raised)",
  "--mantine-color-text": "var(--text)",
  "--mantine-color-bright": "var(--text)",
  "--mantine-color-dimmed": "var(--muted)",
  "--mantine-color-placeholder": "var(--faint)",
  "--mantine-color-error": "var(--bad)",
  "--mantine-color-anchor": "var(--accent)",
  "--mantine-color-default": "var(--surface)",
  "--mantine-color-default-hover": "var(--hover)",
  "--mantine-color-default-color": "var(--text)",
  "--mantine-color-default-border": "var(--line-strong)",
};

/** Put Mantine's variables for `theme` in force; called once, before the first render. */
export function adoptTheme(): void {
  const { variables, light, dark } = defaultCssVariablesResolver(mergeMantineTheme(DEFAULT_THEME, theme));
  const css = convertCssVariables(
    { variables, light: { ...light, ...own }, dark: { ...dark, ...own } },
    ":root",
  );
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
