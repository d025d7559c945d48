import { render } from "preact";
import { App } from "./ui/app.js";
import { begin } from "./ui/state/store.js";
import "./styles/page.css";

const root = document.getElementById("app");
if (root === null) throw new Error("The page has no place for the app.");
render(<App />, root);
begin();
