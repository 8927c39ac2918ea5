"""设置: where its pages are; what an office decides about itself, by two people."""

from aiohttp import web

from console.settings.accounts import accounts, propose_account, test_account
from console.settings.devices import devices, end_one
from console.settings.duty import duty, propose_hours, propose_roster
from console.settings.leaving import leaving_page, take_leave
from console.settings.levels import level_form, levels, propose_levels
from console.settings.organisations import organisations, propose_organisation
from console.settings.proposals import confirm, decide, proposal, proposals, withdraw
from console.settings.rules import (
    false_alarm,
    propose_exception,
    propose_rule,
    rollback,
    rule,
    rule_form,
    rules,
)
from console.settings.staff import deactivate_person, propose_staff, reset_person, staff
from console.settings.switches import settings, switch
from console.settings.templates import draft_template, templates, withdraw_template
from console.settings.texts import propose_text, text_page, texts

ROUTES = [
    web.get("/settings", settings),
    web.post("/settings/switches", switch),
    web.get("/settings/accounts", accounts),
    web.post("/settings/accounts", propose_account),
    web.post("/settings/accounts/{slug}/test", test_account),
    web.get("/settings/organisations", organisations),
    web.post("/settings/organisations", propose_organisation),
    web.get("/settings/duty", duty),
    web.post("/settings/duty/roster", propose_roster),
    web.post("/settings/duty/hours", propose_hours),
    web.get("/settings/levels", levels),
    web.get("/settings/levels/{klass}", level_form),
    web.post("/settings/levels/{klass}", propose_levels),
    web.get("/settings/rules", rules),
    web.get("/settings/rules/new", rule_form),
    web.post("/settings/rules/new", propose_rule),
    web.post("/settings/rules/rollback", rollback),
    web.get("/settings/rules/{rule}", rule),
    web.get("/settings/rules/{rule}/edit", rule_form),
    web.post("/settings/rules/{rule}/edit", propose_rule),
    web.post("/settings/rules/{rule}/exception", propose_exception),
    web.post("/settings/rules/{rule}/false-alarm", false_alarm),
    web.get("/settings/staff", staff),
    web.post("/settings/staff", propose_staff),
    web.post("/settings/staff/{login}/deactivate", deactivate_person),
    web.get("/settings/staff/{login}/sessions", devices),
    web.post("/settings/staff/{login}/sessions/{device}/end", end_one),
    web.get("/settings/staff/{login}/leaving", leaving_page),
    web.post("/settings/staff/{login}/leaving", take_leave),
    web.post("/settings/staff/{login}/password", reset_person),
    web.post("/settings/staff/{login}/confirm", confirm),
    web.get("/settings/texts", texts),
    web.get("/settings/texts/{name}", text_page),
    web.post("/settings/texts/{name}", propose_text),
    web.get("/settings/templates", templates),
    web.post("/settings/templates/{key}/draft", draft_template),
    web.post("/settings/templates/{key}/withdraw", withdraw_template),
    web.get("/settings/proposals", proposals),
    web.get("/settings/proposals/{proposal}", proposal),
    web.post("/settings/proposals/{proposal}", decide),
    web.post("/settings/proposals/{proposal}/withdraw", withdraw),
]
