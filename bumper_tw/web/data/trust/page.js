// Written for the browsers of old phones, too: no syntax younger than ES5.
(function () {
  "use strict";

  var PATIENCE = 12000;

  function show(id) {
    var section = document.getElementById(id);
    if (section) {
      section.setAttribute("open", "open");
    }
    return section;
  }

  function opener(link) {
    var id = link.hash.slice(1);
    link.onclick = function () {
      var section = show(id);
      var head = section && section.getElementsByTagName("summary")[0];
      if (!head) {
        return true;
      }
      head.focus();
      section.scrollIntoView();
      return false;
    };
  }

  function menu() {
    var links = document.getElementById("systems").getElementsByTagName("a");
    for (var at = 0; at < links.length; at += 1) {
      opener(links[at]);
    }
    // An iPad says that it is a Mac; no Mac has a touch screen.
    if (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1) {
      show("ios");
    }
  }

  function proof() {
    var section = document.getElementById("proof");
    var button = document.getElementById("try");
    var verdict = document.getElementById("verdict");
    if (!button) {
      return;
    }

    function say(kind) {
      verdict.className = kind;
      verdict.textContent = section.getAttribute("data-" + kind);
      button.disabled = kind === "wait";
    }

    function ask() {
      var asked = new XMLHttpRequest();
      say("wait");
      asked.open("GET", section.getAttribute("data-url") + "?at=" + new Date().getTime());
      asked.timeout = PATIENCE;
      asked.onload = function () {
        var proved = asked.status === 200 && asked.responseText.indexOf("data-proof=\"yes\"") > 0;
        say(proved ? "yes" : "no");
      };
      asked.onerror = function () { say("no"); };
      asked.ontimeout = function () { say("late"); };
      asked.send();
    }

    button.onclick = ask;
    button.removeAttribute("hidden");
  }

  menu();
  proof();
}());
