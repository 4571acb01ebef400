// What the fan-out suite publishes: an object of 200 B as JSON, and 30 lines
// of HTML of 2 kB. Every event is another one, so that no contestant sends
// what it has made for an earlier event.

/** Ends every payload and is nowhere else in a response: whoever counts these counts deliveries. */
export const MARK = '~'

const ROWS = Array.from({ length: 28 }, (_, i) => `  <li class="order"><a href="/orders/${100 + i}">Parcel ${100 + i}</a> left today</li>`)

// From 100,000 on, so that all are of one length.
const number = (i) => 100_000 + i

export const payloads = {
  json: (i) => ({
    id: number(i),
    type: 'order',
    customer: { id: 4711, name: 'Ada Lovelace', city: 'Oslo' },
    items: [{ sku: 'A-1001', amount: 2 }, { sku: 'B-2002', amount: 1 }],
    note: 'leave it at the door, please',
    state: `shipped${MARK}`
  }),
  html: (i) => `<ul id="orders" data-version="${number(i)}">\n${ROWS.join('\n')}\n</ul><!--${MARK}-->`
}

/** A payload as text, for contestants that take text only. */
export const text = (payload) => typeof payload === 'string' ? payload : JSON.stringify(payload)

/** The event of a payload, for contestants that encode by hand. */
export const frame = (payload) => `data: ${text(payload).replaceAll('\n', '\ndata: ')}\n\n`
