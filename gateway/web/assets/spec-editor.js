// CodeMirror, as the editor of specs uses it. It lives in a shadow root: there its style sheets are adopted, which a
// strict content security policy allows, and no element of style is made.
import {
  autocompletion, bracketMatching, closeBrackets, closeBracketsKeymap, completionKeymap, defaultKeymap, drawSelection, EditorState, EditorView,
  highlightActiveLine, highlightActiveLineGutter, highlightSelectionMatches, HighlightStyle, history, historyKeymap, hoverTooltip, indentOnInput,
  indentUnit, indentWithTab, keymap, lineNumbers, lintGutter, lintKeymap, searchKeymap, setDiagnostics, startCompletion, syntaxHighlighting, tags, yaml,
} from "./vendor/codemirror.min.js";

const theme = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--card)", fontSize: ".875rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "ui-monospace, monospace", lineHeight: "1.55", minHeight: "24rem", maxHeight: "calc(100vh - 11rem)", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", paddingBlock: ".6rem" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--card)", color: "var(--quiet)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--shade) 55%, transparent)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--link) 28%, transparent)" },
  ".cm-selectionMatch, .cm-matchingBracket": { backgroundColor: "var(--shade)" },
  ".cm-tooltip": { backgroundColor: "var(--card)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "8px", boxShadow: "0 6px 24px rgb(0 0 0 / .18)", maxWidth: "30rem", fontSize: ".875rem" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "inherit", maxHeight: "16rem" },
  ".cm-tooltip-autocomplete > ul > li": { padding: ".2rem .6rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--link)", color: "var(--on-link)" },
  ".cm-completionDetail": { color: "inherit", opacity: ".75", fontStyle: "normal" },
  ".cm-completionInfo": { padding: ".5rem .75rem" },
  ".meaning": { padding: ".5rem .75rem", fontFamily: "system-ui, sans-serif", lineHeight: "1.45" },
  ".cm-completionInfo .meaning": { padding: "0" },
  ".meaning p": { margin: ".25rem 0" },
  ".meaning small": { color: "var(--quiet)" },
  ".meaning code": { display: "block", fontFamily: "ui-monospace, monospace", backgroundColor: "var(--shade)", borderRadius: "5px", padding: ".1rem .4rem", marginTop: ".25rem", overflowWrap: "anywhere" },
  ".cm-diagnostic": { borderLeftColor: "var(--bad)", padding: ".4rem .75rem", fontFamily: "system-ui, sans-serif" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "3px", textDecorationSkipInk: "none" },
  ".cm-lint-marker-error": { content: "none", width: ".5rem", height: ".5rem", margin: ".35rem .25rem", borderRadius: "50%", backgroundColor: "var(--bad)" },
  ".cm-panels": { backgroundColor: "var(--card)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-textfield, .cm-button": { backgroundColor: "var(--card)", backgroundImage: "none", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "5px" },
  ".cm-searchMatch": { backgroundColor: "color-mix(in srgb, var(--wait) 35%, transparent)" },
});

const highlighting = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--key)" },
  { tag: [tags.string, tags.special(tags.string), tags.content], color: "var(--string)" },
  { tag: tags.comment, color: "var(--comment)", fontStyle: "italic" },
  { tag: [tags.bool, tags.keyword, tags.typeName, tags.labelName], color: "var(--atom)" },
  { tag: tags.number, color: "var(--number)" },
  { tag: [tags.punctuation, tags.separator, tags.bracket, tags.squareBracket, tags.brace], color: "var(--quiet)" },
]);

const source = (complete) => (context) => {
  const found = complete(context.state.doc.toString(), context.pos);
  if (!found || (!context.explicit && found.from === context.pos && !isFresh(context))) return null;
  const options = found.options.map(({ insert, ...option }) => ({
    ...option,
    apply(view, _, from, to) {
      const colon = insert.indexOf(":");
      const hasColon = option.type === "property" && view.state.sliceDoc(to, to + 1) === ":";
      const text = hasColon ? insert.slice(0, colon) : insert;
      view.dispatch({ changes: { from, to, insert: text }, selection: { anchor: from + text.length }, userEvent: "input.complete" });
      if (option.type === "property" && !hasColon) startCompletion(view);
    },
  }));
  return { from: found.from, options, validFor: /^[\w-]*$/ };
};

/** After `- ` and `key: ` what may follow is shown without being asked for. */
const isFresh = (context) => /(^\s*- |[\w"']:\s)$/.test(context.state.doc.lineAt(context.pos).text.slice(0, context.pos - context.state.doc.lineAt(context.pos).from));

const hover = (explain) =>
  hoverTooltip((view, position) => {
    const found = explain(view.state.doc.toString(), position);
    return found && { pos: found.from, end: found.to, above: true, create: () => ({ dom: found.element }) };
  });

const rangeOf = (doc, problem) => {
  const line = doc.line(Math.min(Math.max(problem.line ?? 1, 1), doc.lines));
  const begins = Math.min(line.from + Math.max((problem.column ?? 1) - 1, 0), line.to);
  const word = /^(["']).*?\1|^[^\s:,{}[\]]+/.exec(doc.sliceString(begins, line.to));
  return { from: begins, to: Math.max(begins + (word ? word[0].length : 0), Math.min(begins + 1, line.to)) };
};

/** Puts an editor where a text area is. `complete` and `explain` are those of spec-schema.js, `keys` acts by key. */
export const openEditor = (area, { document: text, complete, explain, onChange, keys }) => {
  const host = document.createElement("div");
  host.className = "editor";
  host.id = "editor";
  area.before(host);
  area.hidden = true;
  document.querySelector(`label[for="${area.id}"]`)?.remove();
  const root = host.attachShadow({ mode: "open" });
  const ours = Object.entries(keys).map(([key, act]) => ({ key, preventDefault: true, run: () => (act(), true) }));
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([...ours, ...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, indentWithTab, ...defaultKeymap]),
        lineNumbers(), lintGutter(), highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(), history(), drawSelection(),
        indentOnInput(), indentUnit.of("  "), bracketMatching(), closeBrackets(), yaml(), syntaxHighlighting(highlighting), theme,
        autocompletion({ override: [source(complete)], icons: false }), hover(explain),
        EditorView.contentAttributes.of({ "aria-label": "Spec, YAML", spellcheck: "false", tabindex: "0" }),
        EditorView.updateListener.of((update) => { if (update.docChanged) onChange(); }),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    replace: (content) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: content } }),
    mark(problems) {
      const marks = problems.map((each) => ({ ...rangeOf(view.state.doc, each), severity: "error", message: [each.message, each.hint].filter(Boolean).join("\n") }));
      view.dispatch(setDiagnostics(view.state, marks));
    },
    goTo(problem) {
      const { from, to } = rangeOf(view.state.doc, problem);
      view.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
      view.focus();
    },
  };
};
