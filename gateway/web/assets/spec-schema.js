// What the JSON Schema says about a place in a spec: what may be written there, and what it means. The text is read line
// by line, so that it works while it is not valid YAML yet.

const KEY = /^("[^"]*"|'[^']*'|[^\s#&*!|>{}[\],'"%@`-][^:#]*?|[^\s#&*!|>{}[\],'"%@`-])\s*:(?=\s|$)/;
const BLOCK = /^[|>][+-]?\d?\s*(#.*)?$/;

const bare = (key) => key.replace(/^["']|["']$/g, "");
const pathOf = (stack) => stack.map((each) => (each.isItem ? each.index : each.key));

/** Takes one line into the stack of where one is; gives the column and the text after dashes, and the key if it has one. */
const readLine = (stack, line) => {
  let column = line.length - line.trimStart().length;
  let rest = line.slice(column);
  while (/^-(\s|$)/.test(rest)) {
    while (stack.length && stack.at(-1).column > column) stack.pop();
    const top = stack.at(-1);
    if (top?.isItem && top.column === column) top.index += 1;
    else {
      if (top && !top.isItem && top.column === column && !top.isEmpty) stack.pop();
      stack.push({ column, isItem: true, index: 0 });
    }
    const width = /^-\s*/.exec(rest)[0].length;
    column += width;
    rest = rest.slice(width);
  }
  const key = KEY.exec(rest);
  if (!key) return { column, rest };
  while (stack.length && stack.at(-1).column >= column) stack.pop();
  const parent = pathOf(stack);
  const value = rest.slice(key[0].length);
  stack.push({ column, key: bare(key[1]), isEmpty: !value.trim() });
  return { column, rest, parent, key: bare(key[1]), value, valueColumn: column + key[0].length };
};

/** Where one is within `{…}` and `[…]` of one line: the path from its value, and the word that is being written. */
const readFlow = (text) => {
  const frames = [];
  let word = "";
  let quote = "";
  for (const character of text) {
    const top = frames.at(-1);
    if (quote) {
      word += character;
      if (character === quote) quote = "";
    } else if (character === '"' || character === "'") {
      word += character;
      quote = character;
    } else if (character === "{" || character === "[") {
      frames.push({ isMap: character === "{", key: null, index: 0, keys: [] });
      word = "";
    } else if (character === "}" || character === "]") {
      frames.pop();
      word = "";
    } else if (character === "," && top) {
      top.index += 1;
      top.key = null;
      word = "";
    } else if (character === ":" && top?.isMap && top.key === null) {
      top.key = bare(word.trim());
      top.keys.push(top.key);
      word = "";
    } else word += character;
  }
  const last = frames.at(-1);
  if (!last) return null;
  const path = frames.map((each) => (each.isMap ? each.key : each.index)).filter((each) => each !== null);
  return { path, isKey: last.isMap && last.key === null, siblings: last.keys, word: word.trimStart(), isFlow: true };
};

/** What a place in the text is: `path`, whether a key is written there, the word so far, and the keys beside it. */
export const placeAt = (text, offset) => {
  const before = text.slice(0, offset).split("\n");
  const lines = text.split("\n");
  const row = before.length - 1;
  const stack = [];
  const keys = [];
  let block = null;
  let place = null;
  for (const [number, line] of lines.entries()) {
    const indentation = line.length - line.trimStart().length;
    const isBlank = !line.trim();
    if (block !== null && (isBlank || indentation > block)) {
      if (number === row && before[row].length > block && (!isBlank || before[row].length > block)) return null;
      if (number !== row) continue;
    }
    block = null;
    if (number === row) {
      const copy = stack.map((each) => ({ ...each }));
      place = placeIn(copy, before[row]);
      if (!place) return null;
    }
    if (isBlank || line.trimStart().startsWith("#")) continue;
    const read = readLine(stack, line);
    if (read.key !== undefined) {
      if (number !== row) keys.push({ parent: read.parent.join("."), key: read.key });
      if (BLOCK.test(read.value.trim())) block = read.column;
    }
  }
  const beside = place.isFlow ? place.siblings : keys.filter((each) => each.parent === place.path.join(".")).map((each) => each.key);
  return { ...place, siblings: beside };
};

const placeIn = (stack, line) => {
  if (/(^|\s)#/.test(line.replace(/"[^"]*"|'[^']*'/g, ""))) return null;
  const read = readLine(stack, line);
  if (read.key === undefined) {
    while (stack.length && stack.at(-1).column >= read.column && !(stack.at(-1).isItem && stack.at(-1).column < read.column)) stack.pop();
    const flow = /^[{[]/.test(read.rest) ? readFlow(read.rest) : null;
    if (flow) return { ...flow, path: [...pathOf(stack), ...flow.path], column: read.column };
    return { path: pathOf(stack), isKey: true, word: read.rest, column: read.column };
  }
  const path = pathOf(stack);
  const value = read.value.trimStart();
  const flow = /^[{[]/.test(value) ? readFlow(value) : null;
  if (flow) return { ...flow, path: [...path, ...flow.path], column: read.column };
  return { path, isKey: false, word: value, column: read.column };
};

/** The schemas that a schema stands for: references followed, alternatives apart. */
const alternatives = (root, schema) => {
  if (!schema || typeof schema !== "object") return [];
  if (schema.$ref) {
    const { $ref, ...beside } = schema;
    const found = $ref.split("/").slice(1).reduce((part, name) => part?.[name], root);
    return alternatives(root, { ...found, ...beside });
  }
  const { anyOf, oneOf, allOf, ...beside } = schema;
  const choices = anyOf ?? oneOf ?? allOf;
  if (!choices) return [schema];
  return choices.flatMap((each) => alternatives(root, each)).map((each) => ({ ...each, description: each.description ?? beside.description, parent: beside }));
};

const step = (root, schemas, segment) =>
  schemas.flatMap((schema) => {
    if (typeof segment === "number") return alternatives(root, schema.items);
    const property = schema.properties?.[segment];
    if (property) return alternatives(root, property);
    return typeof schema.additionalProperties === "object" ? alternatives(root, schema.additionalProperties) : [];
  });

const schemasAt = (root, path) => path.reduce((schemas, segment) => step(root, schemas, segment), alternatives(root, root));

const fitting = (schemas, siblings) => {
  const objects = schemas.filter((each) => each.properties);
  const fit = objects.filter((each) => siblings.every((key) => key in each.properties));
  return fit.length ? fit : objects;
};

const kindOf = (root, property) => {
  const kinds = alternatives(root, property).map((each) => (each.enum || each.const !== undefined ? "choice" : each.type ?? (each.properties ? "object" : "")));
  return [...new Set(kinds)].filter((kind) => kind && kind !== "null");
};

const meaning = (root, name, property, isRequired) => {
  const element = document.createElement("div");
  element.className = "meaning";
  const add = (tag, text) => element.append(Object.assign(document.createElement(tag), { textContent: text }));
  const kinds = kindOf(root, property);
  add("b", name);
  add("small", ` ${kinds.join(" or ")}${isRequired ? ", required" : ""}`);
  const described = property.description ?? alternatives(root, property).find((each) => each.description)?.description;
  if (described) add("p", described);
  const choices = alternatives(root, property).flatMap((each) => each.enum ?? (each.const === undefined ? [] : [each.const]));
  if (choices.length) add("p", `One of: ${choices.join(", ")}`);
  if (property.default !== undefined && property.default !== null && typeof property.default !== "object") add("p", `Otherwise: ${property.default === "" ? "empty" : property.default}`);
  for (const example of (property.examples ?? []).slice(0, 2)) add("code", typeof example === "string" ? example : JSON.stringify(example));
  return element;
};

const written = (value) => (typeof value === "string" && !/^[\w./@*-][\w ./@*-]*$/.test(value) ? JSON.stringify(value) : typeof value === "object" ? JSON.stringify(value) : String(value));

const keyOptions = (root, place) => {
  const found = new Map();
  for (const schema of fitting(schemasAt(root, place.path), place.siblings)) {
    for (const [name, property] of Object.entries(schema.properties)) {
      if (place.siblings.includes(name) || found.has(name)) continue;
      const isRequired = schema.required?.includes(name) ?? false;
      const kinds = kindOf(root, property);
      const deeper = place.isFlow || kinds.length !== 1 ? "" : { object: `\n${" ".repeat(place.column + 2)}`, array: `\n${" ".repeat(place.column + 2)}- ` }[kinds[0]];
      found.set(name, { label: name, type: "property", detail: kinds.join(" | "), info: () => meaning(root, name, property, isRequired), boost: isRequired ? 2 : 0, insert: deeper ? `${name}:${deeper}` : `${name}: ` });
    }
  }
  return [...found.values()];
};

const valueOptions = (root, path) => {
  const found = new Map();
  for (const schema of schemasAt(root, path)) {
    const choices = schema.enum ?? (schema.const === undefined ? schema.type === "boolean" ? [true, false] : [] : [schema.const]);
    for (const value of choices) found.set(written(value), { label: written(value), type: "enum", insert: written(value), boost: 1 });
    const examples = [...(schema.examples ?? []), ...(schema.parent?.examples ?? [])];
    for (const value of examples) {
      if (!found.has(written(value))) found.set(written(value), { label: written(value), type: "text", detail: "example", insert: written(value) });
    }
  }
  return [...found.values()];
};

/** What may be written at a place: `{from, options}`, or null where nothing is known. */
export const completeBy = (root) => (text, offset) => {
  const place = placeAt(text, offset);
  if (!place) return null;
  const options = place.isKey ? [...keyOptions(root, place), ...valueOptions(root, place.path)] : valueOptions(root, place.path);
  return options.length ? { from: offset - place.word.length, options } : null;
};

/** What the word at a place means: `{from, to, element}`, or null. */
export const explainBy = (root) => (text, offset) => {
  const start = offset - /[\w-]*$/.exec(text.slice(0, offset))[0].length;
  const end = offset + /^[\w-]*/.exec(text.slice(offset))[0].length;
  const name = text.slice(start, end);
  if (!name) return null;
  const place = placeAt(text, end);
  if (!place?.isKey || place.word !== name || !/^["']?\s*:/.test(text.slice(end))) return null;
  for (const schema of fitting(schemasAt(root, place.path), [...place.siblings, name])) {
    const property = schema.properties[name];
    if (property) return { from: start, to: end, element: meaning(root, name, property, schema.required?.includes(name)) };
  }
  return null;
};
