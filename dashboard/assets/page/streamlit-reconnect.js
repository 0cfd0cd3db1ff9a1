// Streamlit's own connection. A restarted server has no session of the page: until its script has run
// once, Streamlit's fields and buttons have no effect.

const STATE_ATTRIBUTE = "data-test-connection-state";

/**
 * Call `callback` each time that Streamlit has reconnected.
 * @param {() => void} callback
 */
export function onReconnect(callback) {
  const app = document.querySelector(`[${STATE_ATTRIBUTE}]`);
  if (!app) return;
  let isConnected = true;
  const check = () => {
    const wasConnected = isConnected;
    isConnected = app.getAttribute(STATE_ATTRIBUTE) === "CONNECTED";
    if (isConnected && !wasConnected) callback();
  };
  new MutationObserver(check).observe(app, {
    attributes: true,
    attributeFilter: [STATE_ATTRIBUTE],
  });
}
