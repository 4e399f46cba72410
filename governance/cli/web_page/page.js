// Runs after the script of the terminal, which connects on load: says where to, and how old what it shows may be.
"use strict";

const QUIET = 5000; // milliseconds without a word, each second asked for, after which the picture counts as old
let socket = null;
let heard = 0;

window.WebSocket = class extends WebSocket {
  constructor(...where) {
    super(...where);
    socket = this;
    heard = Date.now();
    this.addEventListener("message", () => { heard = Date.now(); });
  }
};

const connect = window.onload;
window.onload = async (event) => {
  const address = `${location.origin.replace(/^http/, "ws")}/ws`;
  document.getElementById("terminal").dataset.sessionWebsocketUrl = address;
  document.getElementById("again").onclick = () => location.replace("/");
  await document.fonts.load('15px "Roboto Mono"'); // the terminal measures its letters once
  connect(event);
  document.querySelector(".xterm-helper-textarea").focus(); // a key works without a click before
};

setInterval(() => {
  if (socket?.readyState === WebSocket.OPEN) {
    socket.send('["alive"]');
    document.body.classList.toggle("-silent", Date.now() - heard > QUIET);
  }
}, 1000);
