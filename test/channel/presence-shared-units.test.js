// Members that several processes share, each part alone: what they hold, what engines refuse, and time that stands still.
import t from 'tap'
import { buildApp } from '../helpers/app.js'
import { settle, stopClock } from '../helpers/clock.js'
import { later } from '../helpers/deferred.js'
import { AsyncEngine, engineWith } from '../helpers/engine.js'
import { fromRecord, toRecord } from '../../dist/channel/holding.js'
import { GivenEngine } from '../../dist/channel/given.js'
import { Reader } from '../../dist/channel/reader.js'
import { Roster } from '../../dist/channel/roster.js'
import { SharedMembers } from '../../dist/channel/shared-members.js'

/** A roster of the process "me" with an engine that only does what it is told to. */
function buildRoster (holdings, methods, { isTimed = true } = {}) {
  const calls = []
  const changes = []
  const reports = []
  let listener, lost
  let n = 0
  const engine = {
    listen (topic, ...given) {
      [listener, lost] = given
      return () => { calls.push('stop') }
    },
    holdings: {
      latest: async () => [],
      hold: async (topic, { key, removes }) => { calls.push(`${removes ? 'release' : 'hold'} ${key}`) },
      beat: async (topic, silence, owner) => {
        calls.push(`beat ${owner}`)
        return { silent: [], isKnown: true }
      },
      evict: async (topic, silence, owner) => { calls.push(`evict ${owner}`) },
      ...holdings
    },
    ...methods
  }
  const roster = new Roster({
    engine,
    topic: 'a',
    owner: 'me',
    pulse: { add () {}, remove () {} },
    changed: (key, before, isOurs) => { changes.push([key, [...before.keys()].join(), isOurs]) },
    report: error => { reports.push(error) }
  })
  const event = record => ({ position: `e-${++n}`, previous: `e-${n - 1}`, time: isTimed ? n : undefined, record })
  const hear = told => listener(event(toRecord(told)))
  const hearRaw = record => listener(event(record))
  return { roster, engine, calls, changes, reports, event, hear, hearRaw, skip: () => { n++ }, lose: () => lost() }
}

t.test('what is told of holdings is checked', async t => {
  const good = { owner: 'o', by: 'b', key: 'k', data: { count: 1 }, since: 7 }
  t.same(fromRecord(toRecord(good)), good)
  t.match(fromRecord(toRecord({ owner: 'o', by: 'b' })), { owner: 'o', key: undefined, data: undefined, since: undefined })
  t.throws(() => fromRecord({ data: '{"version":2,"owner":"o","by":"b"}' }), { name: 'TypeError', message: /version/ })
  t.throws(() => fromRecord({ data: '{' }), SyntaxError)
  for (const bad of [{ owner: 7 }, { by: undefined }, { key: 7 }, { since: 'x' }]) {
    t.throws(() => fromRecord(toRecord({ ...good, ...bad })), { name: 'TypeError', message: /name an owner/ })
  }
})

t.test('an engine that holds has all that this needs', async t => {
  const verb = () => {}
  for (const methods of [{ hold: verb }, { evict: verb, latest: verb }, { hold: verb, beat: verb, evict: verb }]) {
    await t.rejects(buildApp(t, { engine: engineWith(methods) }), { code: 'FST_CHIRP_OPTION', message: /needs all of them, and latest\(\): .* is missing/ })
  }
})

t.test('the answer to a beat is checked', async t => {
  let answer
  const verb = () => {}
  const given = new GivenEngine(engineWith({ hold: verb, evict: verb, latest: () => [], beat: () => answer }), 1000, verb, verb)
  for (answer of [undefined, {}, { silent: 'x', isKnown: true }, { silent: [7], isKnown: true }, { silent: [], isKnown: 1 }]) {
    await t.rejects(given.holdings.beat('a', 1, 'me'), { code: 'FST_CHIRP_ENGINE', message: /silent, isKnown/ })
  }
  answer = { silent: ['x'], isKnown: false, more: 1 }
  t.strictSame(await given.holdings.beat('a', 1, 'me'), { silent: ['x'], isKnown: false })
})

t.test('what is given for an owner that is taken out is checked', async t => {
  let answer
  const verb = () => {}
  const given = new GivenEngine(engineWith({ hold: verb, beat: verb, latest: () => [], evict: () => answer }), 1000, verb, verb)
  const evict = () => given.holdings.evict('a', 1, 'x', toRecord({ owner: 'x', by: 'me' }))
  t.equal(await evict(), undefined)
  answer = 7
  await t.rejects(evict(), { code: 'FST_CHIRP_ENGINE' })
  answer = { position: 'e-1', previous: 'e-0', record: { version: 1, data: 'x' } }
  t.equal(await evict(), answer)
})

t.test('an engine says whether it can be reached, and what it throws is a no', async t => {
  const verb = () => {}
  const given = methods => new GivenEngine(Object.defineProperties(engineWith(), Object.getOwnPropertyDescriptors(methods)), 1000, verb, verb)
  t.equal(given({}).ready, true)
  t.equal(given({ ready: true }).ready, true)
  t.equal(given({ ready: 1 }).ready, false)
  t.equal(given({ get ready () { throw new Error('away') } }).ready, false)
  t.throws(() => given({ open: async () => { throw new Error('away') } }).open('a'), { code: 'FST_CHIRP_ENGINE', message: /a string/ })
  await settle()
})

t.test('an engine that starts tells when it is out of reach, and what it throws is the failure of the start', async t => {
  const reports = []
  const logged = []
  const given = methods => new GivenEngine(engineWith(methods), 1000, error => { reports.push(error) }, { info: (object, text) => { logged.push(text) } })
  t.equal(await given({}).start(), undefined)
  let status
  await given({ start: told => { status = told } }).start()
  status.failed(new Error('away'))
  t.match(reports, [{ code: 'FST_CHIRP_ENGINE' }])
  t.same(logged, [])
  status.works()
  status.works()
  t.same(logged, ['the engine of the channels works again'])
  await t.rejects(given({ start: () => { throw new Error('no') } }).start(), { code: 'FST_CHIRP_ENGINE', message: /start\(\)/ })
})

t.test('an info that cannot travel is refused', async t => {
  const presence = (await buildApp(t, { engine: new AsyncEngine({ random: () => 0 }) })).channel('a').presence()
  const circular = {}
  circular.self = circular
  for (const [info, message] of [[circular, /JSON refused it/], [1n, /JSON refused it/], [() => {}, /must be plain data/], ['x'.repeat(16384), /at most 16384/]]) {
    t.throws(() => presence.join('ann', { info }), { code: 'FST_CHIRP_OPTION', message })
    t.throws(() => presence.track('ann', { info }), { code: 'FST_CHIRP_OPTION', message })
  }
  t.equal(presence.size, 0)
  const info = { name: 'Ann' }
  presence.join('ann', { info })
  info.name = 'Eve'
  t.same(presence.members(), [{ key: 'ann', info: { name: 'Ann' }, count: 1 }], 'and the others are copies')
})

t.test('a beat', async t => {
  t.test('is one at a time, and none while the engine is out of reach', async t => {
    const beating = later()
    const { roster, engine, calls } = buildRoster({ beat: async () => { calls.push('beat'); return beating.promise } })
    await roster.ready
    engine.ready = false
    roster.beat()
    await settle()
    t.same(calls, [])
    engine.ready = true
    roster.beat()
    roster.beat()
    await settle()
    t.same(calls, ['beat'])
    beating.resolve({ silent: [], isKnown: false })
    await settle()
    roster.beat()
    await settle()
    t.same(calls, ['beat', 'beat'], 'without anything to tell again')
  })

  t.test('names who holds something, who is told again when nobody knows of it', async t => {
    let isKnown = true
    const { roster, calls } = buildRoster({ beat: async (topic, silence, owner) => { calls.push(`beat ${owner}`); return { silent: [], isKnown } } })
    await roster.ready
    roster.beat()
    await settle()
    roster.hold('k', 1)
    await settle()
    roster.beat()
    await settle()
    isKnown = false
    roster.beat()
    await settle()
    t.same(calls, ['beat undefined', 'hold "k"', 'beat me', 'beat me', 'hold "k"'])
  })

  t.test('takes out who is silent', async t => {
    const evicted = []
    const { roster, changes, event, hear, lose } = buildRoster({
      beat: async () => ({ silent: ['x', 'y'], isKnown: true }),
      evict: async (topic, silence, owner, record) => {
        evicted.push([owner, fromRecord(record).by])
        return owner === 'x' ? event(record) : undefined
      }
    })
    await roster.ready
    hear({ owner: 'x', by: 'x', key: 'k', data: 1 })
    hear({ owner: 'y', by: 'y', key: 'l', data: 1 })
    roster.beat()
    await settle()
    t.same(evicted, [['x', 'me'], ['y', 'me']])
    changes.length = 0
    // The event of it is lost: who has taken it out tells of it.
    lose()
    await settle()
    t.same(changes, [['k', 'x', true], ['l', 'y', false]])
    t.same([...roster.present], [])
  })

  t.test('that fails is reported, and the next one works', async t => {
    let isBroken = true
    const { roster, calls, reports } = buildRoster({
      beat: async () => {
        if (isBroken) throw new Error('away')
        calls.push('beat')
        return { silent: [], isKnown: true }
      }
    })
    await roster.ready
    roster.beat()
    await settle()
    t.match(reports, [{ message: 'away' }])
    isBroken = false
    roster.beat()
    await settle()
    t.same(calls, ['beat'])
  })

  t.test('tries again what was refused, which is reported once, and what was not loaded', async t => {
    let isBroken = true
    const fail = () => { if (isBroken) throw new Error('away') }
    const { roster, calls, reports, changes, event } = buildRoster({
      latest: async () => { fail(); return [event(toRecord({ owner: 'x', by: 'x', key: 'k', data: 1 }))] },
      hold: async (topic, { key }) => { fail(); calls.push(key) }
    })
    await roster.ready
    t.match(reports.splice(0), [{ message: 'away' }])
    roster.hold('l', 1)
    await settle()
    t.equal(reports.splice(0).length, 1)
    roster.beat()
    await settle()
    t.equal(reports.splice(0).length, 1, 'of the values alone')
    isBroken = false
    roster.beat()
    await settle()
    t.ok(calls.includes('"l"'))
    t.same(changes, [['k', '', false]])
    t.same(reports, [])
  })
})

t.test('what is heard', async t => {
  t.test('and cannot be read changes nothing', async t => {
    const { roster, changes, reports, hear, hearRaw } = buildRoster()
    await roster.ready
    hearRaw({ data: '{"version":2}' })
    hear({ owner: 'x', by: 'x', key: 'k', data: 1 })
    t.match(reports, [{ code: 'FST_CHIRP_ENGINE', message: /cannot be read/ }])
    t.same(changes, [['k', '', false]])
  })

  t.test('changes what is held, by one key or by all of an owner', async t => {
    const { roster, changes, hear } = buildRoster()
    await roster.ready
    for (const [owner, key] of [['x', 'k'], ['y', 'k'], ['x', 'l']]) hear({ owner, by: owner, key, data: 1 })
    hear({ owner: 'x', by: 'x', key: 'k', data: 2, since: 1 })
    t.strictSame(roster.holders('k').get('x'), { data: 2, since: 1 })
    changes.length = 0
    hear({ owner: 'z', by: 'z', key: 'k' })
    hear({ owner: 'z', by: 'z', key: 'none' })
    hear({ owner: 'x', by: 'me' })
    t.same(changes, [['k', 'x,y', false], ['none', '', false], ['k', 'x,y', true], ['l', 'x', true]])
    t.same([...roster.present], ['k'])
    hear({ owner: 'y', by: 'y', key: 'k' })
    t.same([...roster.present], [])
  })

  t.test('has the time of the first, also where the engine tells none', async t => {
    const { roster, hear } = buildRoster({}, {}, { isTimed: false })
    await roster.ready
    const before = Date.now()
    hear({ owner: 'x', by: 'x', key: 'k', data: 1 })
    const { since } = roster.holders('k').get('x')
    t.ok(since >= before)
    hear({ owner: 'x', by: 'x', key: 'k', data: 2 })
    t.strictSame(roster.holders('k').get('x'), { data: 2, since })
    hear({ owner: 'y', by: 'y', key: 'k', data: 3, since: 5 })
    t.strictSame(roster.holders('k').get('y'), { data: 3, since: 5 })
  })

  t.test('of an end of its own it contradicts', async t => {
    const { roster, calls, hear } = buildRoster()
    await roster.ready
    roster.hold('k', 1)
    await settle()
    hear({ owner: 'me', by: 'x' })
    await settle()
    t.same(calls, ['hold "k"', 'hold "k"'])
  })

  t.test('with a hole, or while the values are read, is put after them', async t => {
    const reading = []
    const { roster, changes, event, hear, skip, hearRaw } = buildRoster({
      latest: () => {
        const deferred = later()
        reading.push(deferred)
        return deferred.promise
      }
    })
    hear({ owner: 'x', by: 'x', key: 'k', data: 1 })
    reading[0].resolve([])
    await roster.ready
    t.same([...roster.present], ['k'])
    skip()
    hear({ owner: 'x', by: 'x', key: 'l', data: 1 })
    hearRaw({ event: 'chirp:gap' })
    await settle()
    t.equal(reading.length, 2)
    // What it reads is older than the second hole.
    reading[1].resolve([])
    await settle()
    t.same([...roster.present], ['k'])
    reading[2].resolve([event(toRecord({ owner: 'me', by: 'me', key: 'm', data: 1 }))])
    await settle()
    t.same(changes.splice(1), [['k', 'x', false], ['m', '', true]])
  })

  t.test('of what was released meanwhile, or lost, is set right', async t => {
    const values = []
    const { roster, calls, event, lose } = buildRoster({ latest: async () => values.splice(0) })
    await roster.ready
    roster.hold('k', 1)
    await settle()
    t.same(calls.splice(0), ['hold "k"'])
    values.push(event(toRecord({ owner: 'me', by: 'me', key: 'l', data: 1 })))
    lose()
    await settle()
    t.same(calls.sort(), ['hold "k"', 'release "l"'])
  })
})

t.test('a roster tells what is released, in the end what it came to', async t => {
  const { roster, calls } = buildRoster()
  t.equal(roster.owner, 'me')
  roster.hold('k', 1)
  await roster.settled()
  roster.release('k')
  roster.release('k')
  roster.release('none')
  await roster.settled()
  roster.hold('l', 1)
  roster.release('l')
  await roster.settled()
  t.same(calls, ['hold "k"', 'release "k"', 'release "l"'])
})

t.test('a roster that is closed holds and tells nothing', async t => {
  const { roster, calls, reports, lose } = buildRoster({ latest: async () => { throw new Error('away') } })
  roster.hold('k', 1)
  await roster.leave()
  roster.hold('k', 2)
  roster.release('k')
  reports.length = 0
  lose()
  await settle()
  t.same(calls, ['hold "k"', 'stop'])
  t.same(reports, [])
})

/** Members with a roster that knows what it is told at once. */
function buildMembers (grace = 0) {
  const calls = []
  const heard = []
  const held = new Map()
  const mine = new Set()
  let changed
  const state = { isClosing: false }
  const roster = {
    owner: 'me',
    holders: key => held.get(key) ?? new Map(),
    get present () { return new Set([...mine, ...[...held].filter(([, holders]) => [...holders.keys()].some(name => name !== 'me')).map(([key]) => key)]) },
    hold: (key, { count }) => { calls.push(`hold ${key} ${count}`) && mine.add(key) },
    release: key => { calls.push(`release ${key}`) && mine.delete(key) },
    close: () => { calls.push('close') },
    leave: async () => { calls.push('leave') }
  }
  const members = new SharedMembers(grace, () => state.isClosing, (event, { key }) => { heard.push(`${event} ${key}`) }, given => {
    changed = given
    return roster
  })
  const put = (key, holders, isOurs) => {
    const before = roster.holders(key)
    held.set(key, new Map(holders))
    changed(key, before, isOurs)
  }
  return { members, calls, heard, put, state }
}

t.test('the grace of a member that processes share', async t => {
  t.test('runs when the last one has left, and ends when one is back', async t => {
    const { pass } = stopClock(t)
    const { members, calls } = buildMembers(50)
    members.join('ann')
    members.join('ann')
    members.leave('ann')
    await pass(100)
    t.same(calls.splice(0), ['hold ann 1', 'hold ann 2', 'hold ann 1'])
    members.leave('ann')
    await pass(49)
    members.join('ann')
    await pass(100)
    t.same(calls.splice(0), ['hold ann 0', 'hold ann 1'])
    members.leave('ann')
    await pass(50)
    t.same(calls, ['hold ann 0', 'release ann'])
    t.equal(members.size, 0)
    members.leave('ann')
    t.equal(calls.length, 2)
  })

  t.test('is none for an app that closes', async t => {
    const { pass } = stopClock(t)
    const { members, calls, state } = buildMembers(50)
    members.join('ann')
    members.join('bob')
    members.leave('ann')
    state.isClosing = true
    members.leave('bob')
    await pass(50)
    members.close()
    t.same(calls, ['hold ann 1', 'hold bob 1', 'hold ann 0', 'close'])
  })

  t.test('ends with a channel that is closed', async t => {
    const { pass, timers } = stopClock(t)
    const { members, calls, heard, put } = buildMembers(50)
    members.join('ann')
    members.leave('ann')
    members.close()
    t.equal(timers.size, 0)
    members.join('bob')
    put('bob', [['x', { data: { count: 1 }, since: 1 }]], true)
    await pass(50)
    t.same(calls, ['hold ann 1', 'hold ann 0', 'release ann', 'leave'])
    t.same(heard, [])
  })
})

t.test('the keys that are present', async t => {
  const { roster, hear } = buildRoster()
  await roster.ready
  const present = () => [...roster.present]
  roster.hold('mine', 1)
  t.same(present(), ['mine'], 'at once')
  hear({ owner: 'me', by: 'me', key: 'mine', data: 1 })
  hear({ owner: 'me', by: 'me', key: 'forgotten', data: 1 })
  hear({ owner: 'x', by: 'x', key: 'theirs', data: 1 })
  hear({ owner: 'x', by: 'x', key: 'mine', data: 1 })
  t.same(present(), ['mine', 'theirs'])
  roster.release('mine')
  t.same(present(), ['mine', 'theirs'], 'another one has it too')
  hear({ owner: 'x', by: 'x', key: 'mine' })
  t.same(present(), ['theirs'], 'the engine does not know yet that it was released')
  hear({ owner: 'x', by: 'x', key: 'theirs' })
  t.same(present(), [])
  roster.close()
})

t.test('members of several processes', async t => {
  const { members, calls, heard, put } = buildMembers()
  const held = (info, count, since) => ({ data: { info, count }, since })
  members.join('ann', 1)
  members.join('bob', 1)
  put('ann', [['me', held(1, 1, 2)], ['x', held(2, 2, 1)]], true)
  t.same(calls.splice(0), ['hold ann 1', 'hold bob 1', 'hold ann 1'], 'the info of the first')
  put('ann', [['me', held(2, 1, 2)], ['x', held(2, 2, 1)]], false)
  t.same(calls, [])
  put('eve', [['x', held(3, 1, 0)]], true)
  put('old', [['me', held(3, 1, 0)]], false)
  t.same(members.list(), [{ key: 'eve', info: 3, count: 1 }, { key: 'ann', info: 2, count: 3 }, { key: 'bob', info: 1, count: 1 }])
  t.equal(members.size, 3)
  members.join('eve', 9)
  t.equal(members.list()[0].info, 3)
  members.leave('eve')
  put('eve', [], true)
  t.same(heard, ['join ann', 'join eve', 'leave eve'])
})

t.test('a reader that is stopped by the values it starts with, or before them, is not added', async t => {
  for (const when of ['ready', 'pass', 'never']) {
    const calls = []
    const loading = later()
    const stop = name => {
      calls.push(name)
      if (name === when) reader.detach()
    }
    const host = {
      latest: { ready: () => loading.promise },
      flush () {},
      snapshot: () => [{ position: 'e-1', previous: 'e-0', audience: undefined }],
      add: () => { calls.push('add') },
      remove () {},
      left () {}
    }
    const reader = new Reader(host, { pass: () => stop('pass'), failed: error => { throw error } }, undefined)
    const started = reader.start('')
    stop('ready')
    loading.resolve()
    await started
    t.same(calls, { ready: ['ready'], pass: ['ready', 'pass'], never: ['ready', 'pass', 'add'] }[when])
  }
})
