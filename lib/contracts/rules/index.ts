// All rules, in the order of the documentation.
import { asset } from './asset.js'
import { broadTarget } from './broad-target.js'
import { deadTemplate } from './dead-template.js'
import { deferredTruth } from './deferred-truth.js'
import { duplicateId } from './duplicate-id.js'
import { eventId } from './event-id.js'
import { eventName } from './event-name.js'
import { eventUnheard } from './event-unheard.js'
import { form } from './form.js'
import { fragment } from './fragment.js'
import { fragmentsUnheard } from './fragments-unheard.js'
import { liveView } from './live-view.js'
import { link } from './link.js'
import { method } from './method.js'
import { missingExtension } from './missing-extension.js'
import { missingTarget } from './missing-target.js'
import { missingTemplate } from './missing-template.js'
import { misspeltAttribute } from './misspelt-attribute.js'
import { mixedDialects } from './mixed-dialects.js'
import { notAStream } from './not-a-stream.js'
import { orphan } from './orphan.js'
import { refresh } from './refresh.js'
import { removedAttribute } from './removed-attribute.js'
import type { Rule } from './rule.js'
import { signalOutside } from './signal-outside.js'
import { sourceError } from './source-error.js'
import { sseSwapOutside } from './sse-swap-outside.js'
import { sseSwapUnknown } from './sse-swap-unknown.js'
import { swapMismatch } from './swap-mismatch.js'
import { swapValue } from './swap-value.js'
import { templateError } from './template-error.js'
import { unknownBlock } from './unknown-block.js'
import { unknownFilter } from './unknown-filter.js'
import { unknownSignal } from './unknown-signal.js'
import { unknownTest } from './unknown-test.js'
import { unknownUrl } from './unknown-url.js'
import { unreferencedStream } from './unreferenced-stream.js'
import { view } from './view.js'

export const rules: readonly Rule[] = [
  // Addresses and routes
  link, form, method, asset, unknownUrl, orphan,
  // Streams and their events
  notAStream, unreferencedStream, sseSwapUnknown, sseSwapOutside, eventUnheard, eventName, missingExtension, broadTarget,
  fragmentsUnheard, eventId, refresh, unknownSignal, signalOutside, liveView,
  // Swaps and their targets
  missingTarget, duplicateId, swapValue, swapMismatch, misspeltAttribute, removedAttribute, mixedDialects,
  // Templates and source
  fragment, view, missingTemplate, unknownBlock, unknownFilter, unknownTest, deferredTruth, deadTemplate, templateError, sourceError
]
