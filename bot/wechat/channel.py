"""WeChat: wechatpy's API objects over our own aiohttp transport, one token holder, one error table.

Preparing calls (uploads, drafts) may be made again; submitting and sending may not: without an
answer they are UNKNOWN. A mass send carries `clientmsgid`, so the platform refuses a second one.
"""

import secrets
import string
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from bot.channel import Call, Heard, Menu, NotEquipped
from bot.chosen import Chosen
from bot.codes import At
from bot.commenting import AREAS, Area, Doing, Written
from bot.contract import (
    MEND,
    AccountView,
    Content,
    Inbound,
    LoadMedia,
    Outcome,
    Rendering,
    Reply,
    State,
    Still,
)
from bot.http import open_session
from bot.listing import Listed
from bot.opens import MESSAGES
from bot.preview import Shown
from bot.probing import Ability
from bot.quota import Limit
from bot.read_back import Asked, ReadBack
from bot.readings import Figure
from bot.render import fill_reason
from bot.takedown import Notice, Standing, Took
from bot.trial import Look
from bot.wechat import edition, inbound
from bot.wechat.abilities import abilities_of
from bot.wechat.client import (
    AioWeChatClient,
    NoAnswer,
    NotSent,
    TokenService,
    WeChatRefused,
    opened,
    picture,
)
from bot.wechat.codes import CODES
from bot.wechat.comments import comments_of, done
from bot.wechat.drafts import COVER_FILE, DraftFault, make_draft
from bot.wechat.entrance import entrance
from bot.wechat.errors import outcome_of
from bot.wechat.figures import article_totals
from bot.wechat.followers import followed_at, follower_page
from bot.wechat.inbound import SUCCESS
from bot.wechat.limits import chooses, limits_of, sends, takes_place
from bot.wechat.live_pictures import Pictures
from bot.wechat.looking import Open, missing
from bot.wechat.lookup import LOST, looked_up, lost
from bot.wechat.mass import DATA, SendTo, client_key, mass_send, send_to_chosen
from bot.wechat.mass_status import mass_end, mass_outcome, publish_outcome
from bot.wechat.newspic import COMMENTS
from bot.wechat.notices import notice_words
from bot.wechat.noticing import Notices
from bot.wechat.reading_back import altered
from bot.wechat.removing import DELETIONS_A_DAY, remove
from bot.wechat.rendering import DEFAULT_COVER, reply_text, split_bytes
from bot.wechat.trial import NOBODY, Road, looks, press, pressed
from storage.cache import Cache

AES_KEY_LENGTH, TOKEN_LENGTH = 43, 32
ALPHABET = string.ascii_letters + string.digits
PASSIVE_ROOM = 2000  # of 2,048 bytes (W4): measured by users, not promised, so a little is kept


class WeChatChannel(Notices):
    """See bot.channel.Channel. One route an account: settings["push"] == "mass" sends to all."""

    platform = "wechat"
    label = "微信"
    account_word = "微信公众号"
    secrets: tuple[str, ...] = ("appid", "secret", "token", "aes_key")
    addresses: tuple[str, ...] = ("appid",)
    chosen: tuple[str, ...] = ("token", "aes_key")
    overseas = False
    buttons = False
    most_articles = edition.MOST_ARTICLES
    window_seconds = 48 * 3600.0  # customer messages after the contact's last message (W7)
    window_count = 5
    act_seconds = 60.0  # after a menu press, a follow or a scan
    act_count = 3
    nothing = SUCCESS
    codes = CODES
    take_down = "登录微信公众平台，在“发表记录”里删除这一篇"
    deletions_a_day = DELETIONS_A_DAY
    unread = (
        "发布后一小时内和一周内每天读回，文字逐段核对，图片逐张取回与放行的核对：换掉、多出、少了、换了位置都会报告；"
        "图里很小的改动、在“发表记录”里的图片消息的图片、群发文章的封面看不出来。"
        "群发的文章打开网页来读，平台没有给出网址的读不到，要验证码时下一次再读"
    )
    brings: Mapping[str, Path] = {DEFAULT_COVER: COVER_FILE}
    passive_seconds = 4.0  # WeChat hangs up after five, and asks three times in all (W1)
    asks_for_proof = True
    nobody = NOBODY

    def __init__(self, cache: Cache, allowed_private: frozenset[str] = frozenset()) -> None:
        """`cache` shares tokens and uploads; `allowed_private` is for development."""
        self._allowed = allowed_private
        self._cache = cache
        self._http: aiohttp.ClientSession | None = None
        self.tokens = TokenService(cache, self._session)

    def client(self, account: AccountView, still: Still | None = None) -> AioWeChatClient:
        """wechatpy's client for one account; its API objects return awaitables.

        With `still` for calls that cannot be taken back.
        """
        return AioWeChatClient(account, self._session, self.tokens, still)

    def render(self, content: Content) -> Rendering:
        """See bot.render."""
        return edition.render(content)

    @staticmethod
    def room(text: str) -> int:
        """UTF-8 bytes left in one passive text."""
        return PASSIVE_ROOM - len(text.encode())

    @staticmethod
    def secret_problem(secrets: Mapping[str, str]) -> str:
        """An EncodingAESKey is 43 characters long; a shorter one decrypts nothing (W5)."""
        if len(secrets["aes_key"]) == AES_KEY_LENGTH:
            return ""
        return f"消息加解密密钥 aes_key 必须是 {AES_KEY_LENGTH} 个字符：请从公众平台复制"

    @staticmethod
    def new_secret(name: str) -> str:
        """A token of 32 letters and digits, a key of 43 (W5): what the platform's page takes."""
        length = AES_KEY_LENGTH if name == "aes_key" else TOKEN_LENGTH
        return "".join(secrets.choice(ALPHABET) for _ in range(length))

    @staticmethod
    def once_a_day(settings: Mapping[str, Any]) -> bool:
        """A mass send to everybody does: one a day, or four a month (W10)."""
        return sends(settings) and takes_place(settings, chosen=True)

    @staticmethod
    def chooses(settings: Mapping[str, Any]) -> bool:
        """See bot.wechat.limits."""
        return chooses(settings)

    @staticmethod
    def takes_place(settings: Mapping[str, Any], *, chosen: bool) -> bool:
        """See bot.wechat.limits."""
        return takes_place(settings, chosen=chosen)

    @staticmethod
    def limits(settings: Mapping[str, Any]) -> Sequence[Limit]:
        """See bot.wechat.limits."""
        return limits_of(settings)

    @staticmethod
    def confirmed_by(settings: Mapping[str, Any]) -> str:
        """The administrator, where 群发保护 is on: true, or whom to ring (W15)."""
        told = settings.get("protected") if sends(settings) else ""
        return told.strip() if isinstance(told, str) else "公众号管理员" if told else ""

    @staticmethod
    def shown(rendering: Mapping[str, Any]) -> Shown | None:
        """See bot.wechat.edition."""
        return edition.shown(rendering)

    def problems(self, rendering: Mapping[str, Any], content: Content | None = None) -> list[str]:
        """See bot.wechat.edition."""
        return edition.problems(rendering, content)

    def resumable(self, account: AccountView) -> bool:
        """A mass send is: its clientmsgid makes the platform refuse a second one for a day."""
        return sends(account.settings)

    async def publish(
        self, account: AccountView, rendering: Mapping[str, Any], media: LoadMedia, still: Still
    ) -> Outcome:
        """Upload, draft, submit. SUBMITTED with ref `publish:<id>` or `mass:<id>`."""
        articles = edition.articles_of(rendering)
        draft = await self._draft(account, articles, media)
        if isinstance(draft, Outcome):
            return draft
        client = self.client(account, still)  # nobody has seen the draft; from here on they do
        # Only a mass send reaches followers by itself, and it costs one of few a month (W10, W22).
        if sends(account.settings):
            sent = await mass_send(client, draft, client_key(account.id, rendering))
            return _with_comments(sent, articles)
        try:
            answer = await client.post("freepublish/submit", data={"media_id": draft})
        except NoAnswer:
            return lost(str(articles[0]["title"]))
        except (WeChatRefused, NotSent) as error:
            return outcome_of(error, At.TIMELINE)
        return Outcome(State.SUBMITTED, ref=f"publish:{answer['publish_id']}")

    async def publish_to(
        self, account: AccountView, rendering: Mapping[str, Any], media: LoadMedia, chosen: Chosen
    ) -> Outcome:
        """The same for the people of the audience: one call by list or by tag (W12)."""
        articles = edition.articles_of(rendering)
        draft = await self._draft(account, articles, media)
        if isinstance(draft, Outcome):
            return draft
        prepares, calls = self.client(account), self.client(account, chosen.still)
        key = client_key(account.id, rendering)
        sent = await send_to_chosen(SendTo(prepares, calls, account), draft, key, chosen)
        return _with_comments(sent, articles)

    async def _draft(
        self, account: AccountView, articles: Sequence[Mapping[str, str]], media: LoadMedia
    ) -> str | Outcome:
        """The draft's name, or why there is none."""
        client = self.client(account)
        try:
            return await make_draft(client, account, articles, media, self._cache)
        except LookupError:
            return Outcome(State.FAILED, reason="配图文件缺失，无法发布", code="media", detail=MEND)
        except DraftFault as fault:
            return Outcome(State.FAILED, reason=str(fault), code="draft", detail=MEND)
        except (OSError, ValueError) as error:
            words = f"配图无法处理：{error}"
            return Outcome(State.FAILED, reason=words, code="media", detail=MEND)
        except (WeChatRefused, NotSent, NoAnswer) as error:
            return outcome_of(error, At.PREPARING)

    async def settle(self, account: AccountView, ref: str) -> Outcome:
        """Ask what became of a submitted publication; SUBMITTED while it still runs."""
        route, _, number = ref.partition(":")
        client = self.client(account)
        try:
            if route == LOST:
                return await looked_up(client, ref)
            if route == "mass":
                answer = await client.post("message/mass/get", data={"msg_id": number})
                return mass_outcome(ref, str(answer.get("msg_status", "")))
            answer = await client.post("freepublish/get", data={"publish_id": number})
        except (WeChatRefused, NotSent, NoAnswer) as error:
            return outcome_of(error, At.PREPARING)
        return publish_outcome(ref, answer)

    async def comments(self, account: AccountView, area: Area) -> Sequence[Written]:
        """See bot.commenting.Commenting."""
        return await comments_of(self.client(account), area)

    async def do(self, account: AccountView, area: Area, doing: Doing, still: Still) -> Outcome:
        """See bot.commenting.Commenting."""
        return await done(self.client(account), self.client(account, still), area, doing)

    async def followers(self, account: AccountView, after: str) -> Listed:
        """See bot.listing.Listing."""
        return await follower_page(self.client(account), after)

    async def followed_at(
        self, account: AccountView, people: Sequence[str]
    ) -> Mapping[str, datetime]:
        """See bot.listing.Listing."""
        return await followed_at(self.client(account), people)

    async def figures(self, account: AccountView, day: date) -> list[Figure]:
        """What readers did with each mass send of that day, day by day (W38)."""
        return await article_totals(self.client(account), day)

    async def remove(
        self, account: AccountView, standing: Standing, notice: Notice, still: Still
    ) -> Took:
        """See bot.wechat.removing; nothing can be written where an article stood."""
        return await remove(self.client(account), self.client(account, still), standing)

    async def missing(
        self, account: AccountView, standing: Sequence[Standing]
    ) -> Sequence[Standing]:
        """See bot.wechat.looking."""

        return await missing(self.client(account), self._page(account), standing)

    async def altered(
        self, account: AccountView, asked: Sequence[Asked], media: LoadMedia
    ) -> Sequence[ReadBack]:
        """See bot.wechat.reading_back."""
        pictures = Pictures(partial(picture, self._session(), account.api_base), media)
        return await altered(self.client(account), self._page(account), asked, pictures)

    def _page(self, account: AccountView) -> Open:
        """What opens the page of an article as its readers do."""
        return partial(opened, self._session(), account.api_base)

    def result(self, inbound: Inbound) -> tuple[str, Outcome] | None:
        """PUBLISHJOBFINISH and MASSSENDJOBFINISH name the publication they finish (W16, W21)."""
        raw = inbound.raw
        if inbound.key == "publishjobfinish":
            info = raw.get("PublishEventInfo") or {}
            ref = f"publish:{info.get('publish_id', '')}"
            return ref, publish_outcome(ref, info)
        if inbound.key == "masssendjobfinish":
            ref = f"mass:{raw.get('MsgID', raw.get('MsgId', ''))}"
            return ref, mass_end(ref, raw)
        return None

    async def push(
        self,
        account: AccountView,
        address: str,
        rendering: Mapping[str, Any],
        reason: str,
        still: Still,
    ) -> Outcome:
        """A customer message; outside its window HELD."""
        text = fill_reason(rendering["push"]["text"], reason)
        return await self._custom(self.client(account, still), address, [text])

    async def reply(self, account: AccountView, address: str, reply: Reply) -> Outcome:
        """A reply as customer messages of at most 2,048 bytes each."""
        client = self.client(account, _at_once)
        return await self._custom(client, address, split_bytes(reply_text(reply)))

    async def _custom(self, client: AioWeChatClient, address: str, texts: list[str]) -> Outcome:
        for number, text in enumerate(texts):
            try:
                await client.message.send_text(address, text)
            except (WeChatRefused, NotSent, NoAnswer) as error:
                outcome = outcome_of(error, At.READER)
                if number == 0:
                    return outcome
                reason = f"已发出前 {number} 条，其余没有发出（{outcome.reason}），请人工核对"
                sent = {MESSAGES: number}
                return Outcome(State.UNKNOWN, reason=reason, code=outcome.code, detail=sent)
        return Outcome(State.PUBLISHED, detail={MESSAGES: len(texts)})

    async def prove(self, account: AccountView, call: Call) -> str:
        """See bot.wechat.inbound."""
        return await inbound.prove(account, call, self._cache)

    async def hear(self, account: AccountView, call: Call) -> Heard:
        """See bot.wechat.inbound."""
        return await inbound.hear(account, call, self._cache)

    def notice(self, account: AccountView, inbound: Inbound) -> str:
        """See bot.wechat.notices."""
        return notice_words(account.name, inbound)

    def passive(self, reply: Reply) -> str | None:
        """One text of at most 2,048 bytes (W4); what is longer follows as customer messages."""
        text = reply_text(reply)
        return text if len(split_bytes(text)) == 1 else None

    async def acknowledge(self, account: AccountView, callback_id: str) -> None:
        """WeChat has no buttons that wait."""

    async def equip(self, account: AccountView, callback: str, menu: Menu) -> None:
        """Set the account's menu: groups of click buttons, three by at most five (W36).

        There is no call for the callback address: a person types it into the platform's console.
        """
        buttons = [
            {
                "name": label,
                "sub_button": [
                    {"type": "click", "name": name, "key": key} for name, key in choices
                ],
            }
            for label, choices in menu.groups
        ]
        try:
            await self.client(account).post("menu/create", data={"button": buttons})
        except (WeChatRefused, NotSent, NoAnswer) as error:
            raise NotEquipped(str(error)) from error

    async def entrance(self, account: AccountView, scene: str) -> str:
        """See bot.wechat.entrance."""
        return await entrance(self.client(account), scene)

    def looks(self, account: AccountView, callback: str, menu: Menu) -> AsyncIterator[Look]:
        """See bot.wechat.trial."""
        notices = bool(self.templates(account.settings))
        road = Road(self.client(account), self.tokens, sends(account.settings), notices)
        return looks(account, callback, menu, road)

    def press(self, account: AccountView, key: str) -> Mapping[str, Any]:
        """See bot.wechat.trial."""
        return press(account, key)

    def pressed(self, account: AccountView, answer: str) -> str:
        """See bot.wechat.trial."""
        return pressed(account, answer)

    async def abilities(self, account: AccountView) -> Sequence[Ability]:
        """See bot.probing.Probing."""
        notices, mass = bool(self.templates(account.settings)), sends(account.settings)
        return await abilities_of(self.client(account), mass=mass, notices=notices)

    async def close(self) -> None:
        """Give connections back."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = open_session(self._allowed)
        return self._http


def _with_comments(sent: Outcome, articles: Sequence[Mapping[str, Any]]) -> Outcome:
    """The outcome with where readers may write, where they may."""
    places = [place for place, one in enumerate(articles) if one.get(COMMENTS)]
    if sent.state is not State.SUBMITTED or not places:
        return sent
    areas = {"data": sent.detail[DATA], "articles": places}
    return replace(sent, detail={**sent.detail, AREAS: areas})


async def _at_once() -> None:
    """Nothing is asked before a reply leaves: it was built a moment ago."""
