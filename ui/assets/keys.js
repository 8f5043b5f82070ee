// The cheat sheet, the keys that Streamlit has no name for, and where the focus goes.

const SHORTCUT = 'kbd[aria-label^="Shortcut"]'
const DECIDES = new Set(["a", "enter", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
const MOVES = new Set(["j", "k"])
const OPENS = new Set(["e", "s", "x"])
const TOO_SOON_MS = 400
const DRAWN_WITHIN_MS = 10_000
const LOOK_AGAIN_MS = 75

const isField = (element) =>
  element instanceof HTMLElement &&
  (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName))
const isSeen = (element) => element.getClientRects().length > 0
const named = (key) => key.replace(/\s/g, "").toLowerCase()

function buttons() {
  return [...document.querySelectorAll(`button:not(:disabled):has(${SHORTCUT})`)].filter(isSeen)
}

function keyOf(button) {
  return button.querySelector(SHORTCUT).textContent
}

function offered(key) {
  return buttons().find((button) => named(keyOf(button)) === named(key))
}

function press(key) {
  const found = offered(key)
  found?.click()
  return Boolean(found)
}

function beingDrawn() {
  const app = document.querySelector('[data-testid="stApp"]')
  return app?.dataset.testScriptState !== "notRunning"
}

// A page that is being drawn anew has no buttons for a moment. Moving on can wait for them, and
// so can opening a form; to decide what nobody has seen yet cannot.
function pressOnceDrawn(key, until) {
  if (!press(key) && performance.now() < until) setTimeout(pressOnceDrawn, LOOK_AGAIN_MS, key, until)
}

function row(list, keys, what) {
  const term = document.createElement("dt")
  for (const key of keys) {
    const shown = document.createElement("kbd")
    shown.textContent = key
    term.append(shown)
  }
  const meaning = document.createElement("dd")
  meaning.textContent = what
  list.append(term, meaning)
}

function fill(list, aliases) {
  list.replaceChildren()
  const seen = new Set()
  for (const button of buttons()) {
    const key = keyOf(button)
    if (seen.has(named(key))) continue
    seen.add(named(key))
    const others = Object.keys(aliases).filter((alias) => named(aliases[alias]) === named(key))
    row(list, [key, ...others], button.querySelector("p")?.textContent ?? "")
  }
  row(list, ["Tab"], "To the next button or field")
  row(list, ["?"], "This sheet")
}

function focusSoon(selector, patience = 40) {
  const field = document.querySelector(selector)
  if (field) field.focus()
  else if (patience) setTimeout(focusSoon, LOOK_AGAIN_MS, selector, patience - 1)
}

// Streamlit keeps the chosen theme for each address alone; a choice is meant for the whole desk.
function spreadTheme(paths) {
  const landed = performance.getEntriesByType("navigation")[0]?.name ?? location.href
  const from = `stActiveTheme-${new URL(landed).pathname}-`
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(from)) continue
    for (const path of paths) {
      localStorage.setItem(`stActiveTheme-${path}-${key.slice(from.length)}`, localStorage[key])
    }
  }
}

export default function ({ data, parentElement }) {
  const dialog = parentElement.querySelector("dialog")
  const open = parentElement.querySelector(".pd-keys-open")
  const list = dialog.querySelector("dl")
  let last = { key: "", at: 0 }

  const refill = () => {
    fill(list, data.aliases)
    if (dialog.open && beingDrawn()) setTimeout(refill, LOOK_AGAIN_MS)
  }

  const showSheet = () => {
    if (!dialog.open) dialog.showModal()
    refill()
  }

  const onKey = (event) => {
    const key = event.key.toLowerCase()
    if (dialog.open) {
      // What stands behind the sheet must not be decided by a key that was meant for it.
      event.stopImmediatePropagation()
      if (key === "?") dialog.close()
      return
    }
    if (isField(event.target)) {
      if (key === "escape" && event.target.closest('[class*="st-key-decide-form"]')) press("Esc")
      return
    }
    const now = performance.now()
    const again = event.repeat || (key === last.key && now - last.at < TOO_SOON_MS)
    const inside = event.target instanceof Element && event.target.closest("button, a, [role]")
    last = { key, at: now }
    if (again && DECIDES.has(key) && !(key === "enter" && inside)) {
      // A key held down must not decide what has only just come up.
      event.stopImmediatePropagation()
      event.preventDefault()
      return
    }
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey
    if (key === "?" && plain) {
      event.preventDefault()
      showSheet()
      return
    }
    if (plain && (MOVES.has(key) || OPENS.has(key)) && beingDrawn() && !offered(key)) {
      pressOnceDrawn(key, now + DRAWN_WITHIN_MS)
      return
    }
    const combination = (event.ctrlKey || event.metaKey ? "ctrl+" : "") + key
    const alias = Object.keys(data.aliases).find((one) => named(one) === combination)
    if (alias && press(data.aliases[alias])) {
      event.preventDefault()
      event.stopImmediatePropagation()
    }
  }

  const onClick = (event) => {
    if (!(event.target instanceof Element)) return
    if (event.detail > 1 && event.target.closest("button")?.closest(data.decides)) {
      // The second click of a double click must not decide what the first one has brought up.
      event.stopImmediatePropagation()
      event.preventDefault()
      return
    }
    if (event.target.closest(data.opens)) focusSoon(data.field)
  }

  const onHide = () => spreadTheme(data.paths)

  open.onclick = showSheet
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close()
  }
  window.addEventListener("keydown", onKey, true)
  document.addEventListener("click", onClick, true)
  window.addEventListener("pagehide", onHide)
  return () => {
    window.removeEventListener("keydown", onKey, true)
    document.removeEventListener("click", onClick, true)
    window.removeEventListener("pagehide", onHide)
  }
}
