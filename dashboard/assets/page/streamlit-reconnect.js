// Streamlit's own connection. A server that was started anew knows nothing of the page: until its
// script has run once, what is chosen and clicked there goes nowhere.

const STATE = "data-test-connection-state";

/** Calls `act` each time that Streamlit has found its server again. */
export function onReconnect(act) {
  const app = document.querySelector(`[${STATE}]`);
  if (!app) return;
  let connected = true;
  const look = () => {
    const before = connected;
    connected = app.getAttribute(STATE) === "CONNECTED";
    if (connected && !before) act();
  };
  new MutationObserver(look).observe(app, { attributes: true, attributeFilter: [STATE] });
}
