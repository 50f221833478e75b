// Light, dark, or as the system says; remembered by this browser.
import { html, IconButton, useEffect, useState } from "./ui.js";

const THEMES = ["system", "light", "dark"];

export function ThemeButton() {
  const [theme, setTheme] = useState(localStorage.getItem("vi-theme") ?? "system");
  useEffect(() => {
    document.documentElement.style.colorScheme = theme === "system" ? "light dark" : theme;
    localStorage.setItem("vi-theme", theme);
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  return html`<${IconButton} name=${theme} label=${`Colours: ${theme}; change to ${next}`} onClick=${() => setTheme(next)} />`;
}
