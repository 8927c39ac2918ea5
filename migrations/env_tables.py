"""Every module that declares tables: importing this one fills the metadata."""

import bot.comment_models
import bot.models
import bot.notice_models
import console.items.models
import content_sources.list_models
import content_sources.models
import escalations.models
import handlers.conversation
import handlers.released
import knowledge.entries
import knowledge.models
import knowledge.regression
import ledger.models
import review_queue.expert_models
import review_queue.governance.models
import review_queue.link_models
import review_queue.models
import staff.models
import storage.media
import storage.switches
import subscriptions.models
import supervision.models

TABLES = (
    bot.comment_models,
    bot.models,
    bot.notice_models,
    console.items.models,
    content_sources.list_models,
    content_sources.models,
    escalations.models,
    handlers.conversation,
    handlers.released,
    knowledge.entries,
    knowledge.models,
    knowledge.regression,
    ledger.models,
    review_queue.expert_models,
    review_queue.governance.models,
    review_queue.link_models,
    review_queue.models,
    staff.models,
    storage.media,
    storage.switches,
    subscriptions.models,
    supervision.models,
)
