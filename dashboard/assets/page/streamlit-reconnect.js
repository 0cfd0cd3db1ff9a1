// Streamlit's own connection. A restarted server has no session of the page: until its script has run
// once, what is chosen and clicked in Streamlit's parts of the page has no effect.

const STATE_ATTRIBUTE = "data-test-connection-state";

/**
 * Call `act` each time that Streamlit has reconnected.
 * @param {() => void} act
 */
export function onReconnect(act) {
  const app = document.querySelector(`[${STATE_ATTRIBUTE}]`);
  if (!app) return;
  let isConnected = true;
  const check = () => {
    const wasConnected = isConnected;
    isConnected = app.getAttribute(STATE_ATTRIBUTE) === "CONNECTED";
    if (isConnected && !wasConnected) act();
  };
  new MutationObserver(check).observe(app, {
    attributes: true,
    attributeFilter: [STATE_ATTRIBUTE],
  });
}
