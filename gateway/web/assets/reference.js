// Opens what an address leads to: a route, or a schema that a type names.
const open = () => {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!named?.matches("details")) return;
  named.open = true;
  named.scrollIntoView({ block: "start" });
};
addEventListener("hashchange", open);
open();
