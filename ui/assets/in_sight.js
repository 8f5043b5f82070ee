// Streamlit has no word for it: a table of it starts at its first row, whichever row is chosen.

const FOR_MS = 1_500

export default function ({ data, parentElement }) {
  if (parentElement.dataset.shown === data.table) return
  parentElement.dataset.shown = data.table
  const until = performance.now() + FOR_MS
  let known = null

  function look() {
    const table = document.querySelector(`${data.within} .dvn-scroller`)
    if (table && table !== known && table.scrollHeight > table.clientHeight) {
      known = table
      const above = data.row * data.height
      const seen = table.clientHeight - 2 * data.height // the heading lies over the first
      if (above < table.scrollTop || above > table.scrollTop + seen) {
        table.scrollTop = Math.max(0, above - data.height)
      }
    }
    // What is being replaced stays on the page until what replaces it is drawn.
    if (performance.now() < until) requestAnimationFrame(look)
  }

  look()
}
