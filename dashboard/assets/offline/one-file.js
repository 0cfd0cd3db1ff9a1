// Starts a page in one file: unpacks its modules, and imports standalone.js by its name. A classic script.

/** @returns {Promise<void>} */
const startOneFile = async () => {
  const packed = document.querySelector("script[data-modules]")?.textContent ?? "";
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  /** @type {Object<string, string>} */
  const modules = await new Response(stream).json();
  const imports = Object.fromEntries(
    Object.entries(modules).map(([name, source]) => {
      const blob = new Blob([source], { type: "text/javascript" });
      return [name, URL.createObjectURL(blob)];
    }),
  );
  const map = document.createElement("script");
  map.type = "importmap";
  map.textContent = JSON.stringify({ imports });
  document.head.append(map);
  await import("stnscope/" + "standalone.js");
};

startOneFile().catch((error) => {
  const message = document.createElement("p");
  message.className = "stn-message";
  message.textContent = `This page needs a browser of 2023 or later. (${error.message})`;
  document.querySelector(".st-key-stage")?.append(message);
});
