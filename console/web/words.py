"""How rows are said in words: states, times, digests, ledger kinds; the templates' filters."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

from bot.channels import CHANNELS
from bot.contract import State
from bot.models import Account
from bot.switching import SWITCHES
from config.clock import BEIJING, beijing, now
from review_queue.states import STATES, STOPPED
from review_queue.workflow import GATE_NAMES
from staff.refusal import Reason, Refused
from staff.roles import ROLES

SEVERITIES = {"block": "必须改", "warn": "要核对", "hint": "供参考"}
SENDING = {
    State.CREATED: ("等待发送", "plain"),
    State.SENDING: ("正在发送", "busy"),
    State.SUBMITTED: ("平台处理中", "busy"),
    State.PUBLISHED: ("已发出", "good"),
    State.RETRYING: ("稍后重试", "warn"),
    State.FAILED: ("没有发出", "stop"),
    State.UNKNOWN: ("未确认是否发出", "warn"),
    State.ENDED: ("已终止", "plain"),
    State.HELD: ("暂缓，等来信或处理", "plain"),
}
PUBLISHING = SENDING | {State.HELD: ("已拦下，没有发出", "stop")}
"""The same states for a whole publication: what is held there failed its last check."""
PLATFORMS = {platform: channel.label for platform, channel in CHANNELS.items()}
ENTRY_KINDS = {
    "genesis": "建立台账",
    "office.sealed": "给升级前的记录加封",
    "office.rules": "启用新的规则",
    "account.set": "登记账号",
    "account.tested": "试用账号",
    "day.counted": "一天的计数",
    "report.given": "填报年报的数",
    "archive.made": "做成一个月的归档包",
    "records.expired": "到期的记录已删除",
    "accounts.probed": "互动自测",
    "accounts.reminded": "提醒更新账号",
    "account.closing": "办理账号关停",
    "account.filed": "登记账号备案编号",
    "organisation.set": "登记单位",
    "organisation.placed": "定人员所属单位",
    "roster.set": "值班表生效",
    "staff.reset": "新给登录口令",
    "staff.confirmed": "当面确认本人",
    "passkey.registered": "登记通行密钥",
    "passkey.confirmed": "确认通行密钥",
    "passkey.revoked": "停用通行密钥",
    "identity.bound": "绑定单位统一登录",
    "identity.confirmed": "确认单位统一登录的绑定",
    "identity.unbound": "解除单位统一登录的绑定",
    "expert.asked": "请部门核对",
    "expert.answered": "部门答复",
    "expert.withdrawn": "收回核对链接",
    "staff.set": "设置人员与角色",
    "staff.leaving": "开始离岗交接",
    "staff.handed_over": "离岗交给别人",
    "staff.left": "办完离岗",
    "staff.stayed": "收回离岗交接",
    "staff.alarms": "改值班提醒方式",
    "staff.password_reset": "重设密码",
    "staff.password_changed": "改自己的密码",
    "access.ended": "退出登录或停用令牌",
    "workflow.approved": "审核级次生效",
    "rules.approved": "规则集生效",
    "setting.approved": "设置生效",
    "templates.started": "初始回复模板",
    "template.released": "回复模板入库使用",
    "template.withdrawn": "停用回复模板",
    "entry.released": "问答条目入库使用",
    "entry.withdrawn": "停用问答条目",
    "regression.added": "增加核对问题",
    "regression.removed": "去掉核对问题",
    "notice.released": "更正告知放行",
    "notice.withdrawn": "停用更正告知",
    "notice.told": "更正告知送交完毕",
    "entry.lapsed": "问答条目失去依据",
    "proposal.made": "提出变更",
    "proposal.approved": "批准变更",
    "proposal.rejected": "不批准变更",
    "proposal.withdrawn": "收回变更",
    "source.proposed": "提出稿源",
    "source.approved": "批准稿源",
    "source.revoked": "撤销稿源",
    "source.rejected": "未批准稿源变更",
    "source.expired": "稿源到期",
    "source.exception_asked": "申请例外转载",
    "source.exception": "批准例外转载",
    "source.imported": "导入稿源名单",
    "item.quarantined": "隔离稿件",
    "item.lifted": "解除隔离",
    "column.added": "启用栏目",
    "column.switched": "停用或恢复栏目",
    "picture.declared": "登记图片来历",
    "task.opened": "开出任务",
    "task.feedback": "反馈工作进展",
    "task.closed": "处理任务",
    "policy.set": "政策入库、废止或有变更",
    "policy.proposed": "提出政策变更",
    "policy.approved": "批准政策变更",
    "policy.repealed": "废止政策",
    "policy.rejected": "未批准政策变更",
    "revision.created": "保存一稿",
    "item.submitted": "提交审核",
    "item.claimed": "领取稿件",
    "item.unclaimed": "放开稿件",
    "item.taken_over": "接手审核",
    "item.returned": "退回稿件",
    "item.referred": "转有关部门",
    "referral.answered": "有关部门答复",
    "referral.overdue": "有关部门逾期未复",
    "waiver.granted": "放行一条提示",
    "class.lowered": "降低类别",
    "level.reminded": "审核提醒",
    "level.overdue": "审核超时",
    "retrospective.closed": "应急复审完成",
    "retrospective.overdue": "应急复审超时",
    "staff.absent": "登记外出与代理",
    "item.recalled": "撤回稿件",
    "correction.begun": "起草更正",
    "item.confined": "限定知悉范围",
    "item.scope_asked": "申请扩大知悉范围",
    "item.scope_added": "同意扩大知悉范围",
    "item.scope_refused": "不同意扩大知悉范围",
    "item.scheduled": "安排发布",
    "item.concern": "标明与本单位业务是否有关",
    "decision": "审核结论",
    "release.created": "放行",
    "publication.submitted": "提交平台发布",
    "publication.finished": "发布结果",
    "publications.sealed": "封存旧版发布记录",
    "publication.settled": "人工确认发布结果",
    "publication.gone": "发现平台上已被删除",
    "takedown.submitted": "提交平台撤下",
    "takedown.finished": "撤下结果",
    "takedown.settled": "人工确认已撤下",
    "correction.published": "更正已发布",
    "subscription.ended": "结束订阅",
    "subscriptions.moved": "订阅随分类转移",
    "subscriptions.moved_all": "订阅随分类转移完毕",
    "push.begun": "开始生成推送",
    "push.created": "推送已全部生成",
    "push.finished": "推送结果",
    "push.held": "推送人数与批准时不同，停住",
    "push.unproved": "紧急稿件没有送达证明",
    "push.paused": "暂停推送",
    "push.resumed": "继续推送",
    "push.dropped": "不再发送其余推送",
    "push.again": "再次推送",
    "push.completed": "补齐推送",
    "followers.compared": "核对关注名单",
    "comment.asked": "提出处理留言",
    "comment.decided": "决定处理留言",
    "comment.done": "处理留言有结果",
    "push.given_up": "放弃一部分推送",
    "push.left": "不确定的推送不再发送",
    "push.replaced": "更正稿代替其余推送",
    "switch.set": "停发开关",
    "ticket.opened": "转人工",
    "ticket.escalated": "通知值班人员",
    "ticket.urgent": "有人遇险",
    "ticket.paging": "正在紧急通知值班",
    "ticket.paged": "紧急通知值班",
    "ticket.claimed": "接手问题",
    "ticket.answered": "答复问题",
    "ticket.closed": "结束问题",
    "clause.confirmed": "确认条文仍有效",
    "ticket.number_left": "留下回电号码",
    "ticket.number_read": "查看回电号码",
    "ticket.passed": "转交问题",
    "ticket.reopened": "重开问题",
    "ticket.answer_told": "通知对方有答复",
    "ticket.merged": "合并问题",
    "ticket.parted": "拆开合并的问题",
    "ticket.noted": "问题备注",
    "ticket.handed_over": "转 12345",
    "ticket.reply_planned": "答复定时发出",
    "ticket.reply_sooner": "定时的答复提前发出",
    "ticket.rating_asked": "请对方评价",
    "ticket.rated": "对方评价",
    "ticket.promoted": "答复存为问答",
    "ticket.reply_stopped": "答复被拦下",
    "ticket.reply_dropped": "放弃被拦下的答复",
    "ticket.reply_sent": "答复已发出",
    "ticket.reply_failed": "答复没有送达",
    "ticket.reply_kept": "保留升级前的答复",
    "ticket.overdue": "问题超时",
    "incident.opened": "发现事件",
    "grave.clock": "严重问题到了报告时限的一步",
    "incident.closed": "处理事件",
    "incidents.signed": "签下旧版未处理的事件",
    "checkpoint": "签名检查点",
    "ledger.restored": "从备份恢复",
    "office.second_factor": "开始要求第二步验证",
    "second_factor.set": "设好第二步验证",
    "second_factor.removed": "去掉第二步验证",
    "second_factor.recovered": "用恢复码登录",
    "signin": "登录",
    "gates.run": "五关检查",
}


def clock_words(moment: datetime | None) -> str:
    """2026年11月24日 14:05, Beijing time."""
    if moment is None:
        return "—"
    local = beijing(moment)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def short_clock(moment: datetime) -> str:
    """今天 14:05, 昨天 09:00, 11月3日 08:30."""
    local, today = beijing(moment), beijing(now()).date()
    names = {0: "今天", 1: "昨天", -1: "明天"}
    day = names.get((today - local.date()).days, f"{local.month}月{local.day}日")
    return f"{day} {local:%H:%M}"


def span_words(span: timedelta) -> str:
    """A length of time in the largest sensible unit."""
    minutes = int(abs(span).total_seconds() // 60)
    if minutes < 1:
        return "不到 1 分钟"
    if minutes < 60:
        return f"{minutes} 分钟"
    if minutes < 48 * 60:
        return f"{minutes // 60} 小时"
    return f"{minutes // (24 * 60)} 天"


def _time(moment: datetime, words: str, tone: str = "") -> Markup:
    attribute = Markup(' class="{}"').format(tone) if tone else ""
    return Markup('<time datetime="{}" title="北京时间 {}"{}>{}</time>').format(
        moment.isoformat(), clock_words(moment), attribute, words
    )


def ago(moment: datetime | None) -> Markup:
    """3 分钟前 / 2 小时后, the exact Beijing time on hover."""
    if moment is None:
        return Markup("—")
    span = now() - moment
    # Nobody counts weeks back: after seven days the date says more.
    if abs(span) > timedelta(days=7):
        return _time(moment, clock_words(moment))
    words = "刚刚" if abs(span) < timedelta(minutes=1) else span_words(span)
    if words != "刚刚":
        words += "前" if span > timedelta(0) else "后"
    return _time(moment, words)


def due(moment: datetime | None) -> Markup:
    """还有 2 小时, or 已超时 30 分钟 in red."""
    if moment is None:
        return Markup("—")
    left = moment - now()
    if left < timedelta(0):
        return _time(moment, f"已超时 {span_words(left)}", "late")
    tone = "soon" if left < timedelta(hours=1) else ""
    return _time(moment, f"还有 {span_words(left)}", tone)


def lasting(moment: datetime | None) -> Markup:
    """3 天: for how long something lies where it is, the beginning on hover."""
    return _time(moment, span_words(now() - moment)) if moment else Markup("—")


def when(moment: datetime | None) -> Markup:
    """今天 14:05, exact on hover."""
    return _time(moment, short_clock(moment)) if moment else Markup("—")


def field_time(moment: datetime | None) -> str:
    """The value of a datetime-local field, Beijing time."""
    return f"{beijing(moment):%Y-%m-%dT%H:%M}" if moment else ""


def read_field_time(text: str, name: str) -> datetime:
    """A datetime-local field as an aware moment; Refused names the field."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(
            422, [Reason("time", f"{name}不是有效时间：请按 2026-11-24 09:30 的格式填写")]
        ) from error
    # A datetime-local field has no zone; what the office types is Beijing time.
    return value if value.tzinfo else value.replace(tzinfo=BEIJING)


def digest_groups(digest: str) -> str:
    """The first 16 hex digits in four short groups."""
    return " ".join(digest[index : index + 4] for index in range(0, 16, 4))


def roles_words(roles: Any) -> str:
    """编辑、初审"""
    return "、".join(label for role, label in ROLES.items() if role in roles) or "没有角色"


def account_words(account: Account) -> str:
    """青禾政务（微信）; the platform is not said twice."""
    label = PLATFORMS.get(account.platform, account.platform)
    return account.name if label in account.name else f"{account.name}（{label}）"


_AUDIENCE = (
    *(("topics", "主题"), ("groups", "人群"), ("regions", "地区")),
    *(("industries", "行业"), ("kinds", "文种"), ("urgent", "紧急")),
)
_URGENT = {"urgent": {"night": "夜间也立即推送"}}


def audience_words(
    audience: Mapping[str, Sequence[str]] | None, facets: Mapping[str, Mapping[str, str]]
) -> str:
    """主题：就业创业；人群：高校毕业生, or that nobody is written to."""
    if not audience:
        return "不推送，只公开发布"
    facets = {**facets, **_URGENT}
    every = audience.get("all", ())
    return "；".join(
        f"{label}：{'、'.join(facets.get(name, {}).get(key, key) for key in audience[name])}"
        f"{'（每一项都要符合）' if name in every else ''}"
        for name, label in _AUDIENCE
        if audience.get(name)
    )


def left(moment: datetime) -> str:
    """How long until a moment: 18 分钟."""
    return span_words(moment - now())


def sentence(text: str) -> Markup:
    """Plain text with its line breaks kept."""
    return Markup("<br>").join(escape(line) for line in text.split("\n"))


DONE = {
    "proposed": "已提出，等待另一位管理员批准。",
}
"""What more than one feature says after a form."""
FILTERS: dict[str, Callable[..., str]] = {
    "ago": ago,
    "due": due,
    "lasting": lasting,
    "when": when,
    "clock": clock_words,
    "field_time": field_time,
    "digest": digest_groups,
    "roles": roles_words,
    "lines": sentence,
    "left": left,
    "audience": audience_words,
    "account": account_words,
}
WORDS: dict[str, object] = {
    "GATE_NAMES": GATE_NAMES,
    "SEVERITIES": SEVERITIES,
    "SENDING": SENDING,
    "PUBLISHING": PUBLISHING,
    "STATES": STATES,
    "STOPPED": STOPPED,
    "PLATFORMS": PLATFORMS,
    "ENTRY_KINDS": ENTRY_KINDS,
    "SWITCHES": SWITCHES,
    "ROLES": ROLES,
}
