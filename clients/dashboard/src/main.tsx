import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Client } from "slotd/web";

import { App } from "./app";
import { Data } from "./data/data";
import { DataProvider } from "./data/hooks";
import { applyTheme } from "./shell/theme";
import "./styles/tokens.css";
import "./styles/base.css";

applyTheme();
const data = new Data(new Client({ reconnect: { initialMs: 250, maximumMs: 3_000 } }));
void data.feed.run();
addEventListener("online", () => data.feed.reconnect());

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <DataProvider value={data}>
        <App />
      </DataProvider>
    </StrictMode>,
  );
}
