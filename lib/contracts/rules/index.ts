// All rules, in the order of the documentation.
import { asset } from './asset.js'
import { broadTarget } from './broad-target.js'
import { deadTemplate } from './dead-template.js'
import { duplicateId } from './duplicate-id.js'
import { eventName } from './event-name.js'
import { eventUnheard } from './event-unheard.js'
import { form } from './form.js'
import { fragment } from './fragment.js'
import { link } from './link.js'
import { method } from './method.js'
import { missingExtension } from './missing-extension.js'
import { missingTarget } from './missing-target.js'
import { missingTemplate } from './missing-template.js'
import { mixedDialects } from './mixed-dialects.js'
import { notAStream } from './not-a-stream.js'
import { orphan } from './orphan.js'
import { removedAttribute } from './removed-attribute.js'
import type { Rule } from './rule.js'
import { sourceError } from './source-error.js'
import { sseSwapOutside } from './sse-swap-outside.js'
import { sseSwapUnknown } from './sse-swap-unknown.js'
import { templateError } from './template-error.js'
import { unknownBlock } from './unknown-block.js'
import { unknownUrl } from './unknown-url.js'
import { unreferencedStream } from './unreferenced-stream.js'

export const rules: readonly Rule[] = [
  // Addresses and routes
  link, form, method, asset, unknownUrl, orphan,
  // Streams and their events
  notAStream, unreferencedStream, sseSwapUnknown, sseSwapOutside, eventUnheard, eventName, missingExtension, broadTarget,
  // What is swapped where
  missingTarget, duplicateId, removedAttribute, mixedDialects,
  // Templates and source
  fragment, missingTemplate, unknownBlock, deadTemplate, templateError, sourceError
]
