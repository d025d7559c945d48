import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { Charts } from "./charts/charts.js";
import { ControlBar } from "./control-bar.js";
import { FilesPanel } from "./files/files-panel.js";
import { Guarded } from "./guarded.js";
import { LossEditor } from "./loss-editor.js";
import { RingPanel } from "./ring-panel.js";
import { SettingsForm } from "./settings/settings-form.js";
import { beginAnew, haveBack, notice, problem, replaced, silentSeconds } from "./state/store.js";
import { TokensPanel } from "./tokens-panel.js";
import { WritePanel } from "./write-panel.js";

interface Tab {
  readonly id: string;
  readonly title: string;
  readonly Panel: ComponentType;
}

const tabs: readonly Tab[] = [
  { id: "tokens", title: "Token by token", Panel: TokensPanel },
  { id: "write", title: "Let it write", Panel: WritePanel },
  { id: "loss", title: "A loss of your own", Panel: LossEditor },
  { id: "files", title: "Config and files", Panel: FilesPanel },
];

export const openTab = signal("tokens");

export function App() {
  return (
    <>
      <header class="top">
        <h1>
          pupil <span>playground</span>
        </h1>
        <p>
          A small transformer learns from a teacher's token-level logits, in this page. Nothing
          leaves it.
        </p>
      </header>
      <div class="page">
        <SettingsForm />
        <main>
          <ControlBar />
          <Messages />
          <Guarded what="The ring" of={RingPanel} />
          <Guarded what="The curves" of={Charts} />
          <Tabs />
        </main>
      </div>
    </>
  );
}

function Messages() {
  return (
    <div class="messages" role="status">
      {problem.value !== undefined && (
        <p class="message problem">
          <span>
            <b>That does not go.</b> {problem.value}
          </span>
          <button
            type="button"
            class="plain"
            aria-label="Hide the message"
            onClick={() => (problem.value = undefined)}
          >
            ✕
          </button>
        </p>
      )}
      {silentSeconds.value > 0 && (
        <p class="message problem">
          <span>
            The worker has not answered for {silentSeconds.value} s. Large models and long rows take
            their time; a loss of your own may have a loop without an end.
          </span>
          <button type="button" class="button small" onClick={beginAnew}>
            End it and begin anew
          </button>
        </p>
      )}
      {notice.value !== undefined && (
        <p class="message">
          <span>{notice.value}</span>
          {replaced.value !== undefined && (
            <button type="button" class="button small" onClick={haveBack}>
              Undo
            </button>
          )}
          <button
            type="button"
            class="plain"
            aria-label="Hide the message"
            onClick={() => {
              notice.value = undefined;
              replaced.value = undefined;
            }}
          >
            ✕
          </button>
        </p>
      )}
    </div>
  );
}

function Tabs() {
  const select = (index: number) => {
    const tab = tabs[(index + tabs.length) % tabs.length] as Tab;
    openTab.value = tab.id;
    document.getElementById(`tab-${tab.id}`)?.focus();
  };
  const moves: Readonly<Record<string, (index: number) => number>> = {
    ArrowRight: (index) => index + 1,
    ArrowLeft: (index) => index - 1,
    Home: () => 0,
    End: () => tabs.length - 1,
  };
  return (
    <section class="panel" aria-label="Looking closer">
      <div class="tabs" role="tablist" aria-label="Looking closer">
        {tabs.map(({ id, title }, index) => (
          <button
            type="button"
            key={id}
            role="tab"
            id={`tab-${id}`}
            aria-controls={`panel-${id}`}
            aria-selected={openTab.value === id}
            tabIndex={openTab.value === id ? 0 : -1}
            onClick={() => (openTab.value = id)}
            onKeyDown={(event) => {
              const move = moves[event.key];
              if (move === undefined) return;
              event.preventDefault();
              select(move(index));
            }}
          >
            {title}
          </button>
        ))}
      </div>
      {tabs.map(({ id, title, Panel }) => (
        <div
          key={id}
          role="tabpanel"
          id={`panel-${id}`}
          aria-labelledby={`tab-${id}`}
          hidden={openTab.value !== id}
        >
          {openTab.value === id && <Guarded what={title} of={Panel} />}
        </div>
      ))}
    </section>
  );
}
