"""`shenfa doctor`: what an operator must know before trusting this office, one line a check."""

import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from alembic.script import ScriptDirectory
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from bot.abilities import NOT_LOOKED, known
from bot.delivery.processes import ALL, SERVE, kinds_alive
from config.clock import beijing, now
from config.settings import Settings
from documents.sight import is_installed
from escalations.calendar import OfficeHours, unarranged_words
from escalations.roster import roster_now
from escalations.routes import without_ways
from gates.statutes import STATUTES
from handlers.released import ReleasedTemplates
from handlers.templates import LABELS
from ledger.append import Ledger
from ledger.models import AnchorPlace, LedgerEntry
from migrations.run import HERE, revision_of
from office.alive import alive
from office.doctor_accounts import accounts_checks
from office.doctor_check import FAIL, OK, WARN, Check
from office.keys import open_database, open_ledger
from office.nightly import backups_check
from office.parts import parts_of
from review_queue.governance.levels import ApprovedLevels
from staff.people import names
from staff.provider import Provider, client_of
from staff.refusal import Refused
from staff.settings import SignedSettings
from storage.database import Database, sqlite_file

_GIB = 1024**3
LAG = timedelta(hours=1)
# The standing committee changes laws every two months: after a year some tens are no longer told
# right.
LAWS_OLD = timedelta(days=365)


async def examine(settings: Settings) -> list[Check]:
    """Every check; those about the database only when it can be read."""
    checks = [*_home(settings), await _redis(settings.redis_url)]
    key = settings.data_key_file
    # an examination makes no key: without one, what is sealed cannot be looked at
    held = key is not None and key.exists()
    db = open_database(settings) if held else Database(settings.database_url)
    try:
        state = await _database(settings, db)
        checks.insert(0, state)
        if state.state != FAIL:
            checks += [check async for check in _office(settings, db)]
    finally:
        await db.close()
    return checks


# --- without the database -----------------------------------------------------------------


def _home(settings: Settings) -> Iterator[Check]:
    if settings.dev:
        yield Check("开发模式", FAIL, "SHENFA_DEV=1 允许改时钟和访问内网：正式使用请去掉")
    else:
        yield Check("开发模式", OK, "没有打开")
    yield _laws(beijing(now()).date())
    yield _sight()
    yield from _key_files(settings)
    yield from _anchor_files(settings)
    free = shutil.disk_usage(_existing(settings.home)).free
    # Under 200 MB the database cannot write its journal; 2 GB are some weeks of articles and
    # pictures.
    state = FAIL if free < _GIB // 5 else WARN if free < 2 * _GIB else OK
    more = "" if state == OK else "：请腾出空间"
    yield Check("磁盘", state, f"数据目录所在磁盘剩 {free / _GIB:.1f} GB{more}")
    yield _port(settings.host, settings.port)
    yield _passkeys(settings.public_url)
    yield _proxies(settings)


def _sight() -> Check:
    """Whether pictures are read; an office may well leave them to people."""
    if is_installed():
        return Check("读图", OK, "已安装，图片和扫描件里的文字也会检查")
    return Check("读图", OK, "没有安装，图片和扫描件由人看（需要时装扩展 ocr，Python 3.13 以下）")


def _laws(today: date) -> Check:
    """How old the table of laws is, by which the gates tell what is no longer in force."""
    age = today - STATUTES.checked
    words = f"{len(STATUTES.known)} 部，核对到 {STATUTES.checked}，已过 {max(0, age.days)} 天"
    if age <= LAWS_OLD:
        return Check("法律法规表", OK, words)
    missed = f"{words}，超过 {LAWS_OLD.days} 天，此后废止、修改、新施行的法律查不出"
    remedy = "请升级审发；升级之前，稿件引用的法律请人工在国家法律法规数据库核对"
    return Check("法律法规表", WARN, f"{missed}：{remedy}")


def _proxies(settings: Settings) -> Check:
    """Whether wrong sign-ins are counted for who makes them, or for the proxy before us."""
    here = settings.host in ("127.0.0.1", "::1", "localhost")
    if settings.proxies:
        return Check("代理", OK, f"相信 {settings.trusted_proxies} 转来的地址")
    if here and urlsplit(settings.public_url).scheme == "https":
        words = "前面有代理，却没有设它的地址，所有人都算作同一个地址，一人输错密码大家都慢"
        return Check("代理", WARN, f"{words}：请设 SHENFA_TRUSTED_PROXIES，例如 127.0.0.1")
    return Check("代理", OK, "不相信任何转来的地址")


async def _provider(settings: Settings) -> Check:
    """Whether the body's own sign-in answers; without it everybody signs in here."""
    client = client_of(settings)
    if client is None:
        return Check("单位统一登录", OK, "没有接，用密码和通行密钥登录")
    if fault := await Provider(client).fault():
        words = f"{client.issuer} 现在用不了（{fault}），密码和通行密钥仍可登录"
        return Check("单位统一登录", WARN, f"{words}：请核对 SHENFA_OIDC_ISSUER 和网络")
    back = client.redirect_uri
    return Check("单位统一登录", OK, f"{client.issuer} 有应答；在那里登记的回跳地址应是 {back}")


def _passkeys(url: str) -> Check:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost" or host.endswith(".localhost"):
        return Check("通行密钥", OK, f"{url} 可以使用")
    words = f"{url} 既不是 https 也不是 localhost，浏览器不提供通行密钥"
    return Check("通行密钥", WARN, f"{words}：请把 SHENFA_PUBLIC_URL 设为 https 地址")


def _existing(path: Path) -> Path:
    return path if path.exists() or path == path.parent else _existing(path.parent)


def _key_files(settings: Settings) -> Iterator[Check]:
    store = sqlite_file(settings.database_url)
    keys = {"台账私钥": settings.ledger_key_file, "数据密钥": settings.data_key_file}
    for name, path in keys.items():
        if path is None or not path.is_file():
            yield Check(name, FAIL, f"没有密钥文件 {path}：请放入原来的密钥，不要新建")
        # Whoever reads the key can sign entries as this office.
        elif mode := path.stat().st_mode & 0o077:
            yield Check(name, FAIL, f"{path} 别人也能读写（{mode:03o}）：请运行 chmod 600 {path}")
        elif store is not None and store.is_file() and _holds(store, path):
            yield Check(name, FAIL, f"密钥写在数据库里：请换新密钥，并查明是谁写入的（{path}）")
        else:
            yield Check(name, OK, f"{path} 只有本人可读，不在数据库里")


def _holds(store: Path, key: Path) -> bool:
    """Whether the database file contains the key, as bytes or as text."""
    text = key.read_bytes().strip()
    try:
        # As text in either case and as bytes: a key in its own database proves nothing.
        needles = (text, text.upper(), bytes.fromhex(text.decode("ascii")))
    except ValueError:
        return False
    tail = b""
    with store.open("rb") as file:
        while block := file.read(1 << 20):
            if any(needle in tail + block for needle in needles):
                return True
            # A key may lie across two blocks.
            tail = block[-len(text) :]
    return False


def _anchor_files(settings: Settings) -> Iterator[Check]:
    store = sqlite_file(settings.database_url)
    paths = [path for path in (settings.anchor_file, *settings.anchor_paths) if path is not None]
    apart = []
    for path in paths:
        place = _existing(path)
        if not os.access(place, os.W_OK):
            yield Check("锚定文件", FAIL, f"{path} 写不进：请检查目录和权限")
        elif store is not None and store.exists():
            # On the same disk whoever changes the ledger can change its anchors as well.
            apart += [path] if place.stat().st_dev != store.stat().st_dev else []
        else:
            apart.append(path)
    if apart or settings.anchor_addresses:
        where = [*(str(path) for path in apart), *settings.anchor_addresses]
        yield Check("锚定", OK, f"数据库之外有 {len(where)} 处：{'、'.join(where)}")
    else:
        words = "锚定文件都和数据库在同一个文件系统上，一起被改时发现不了"
        yield Check("锚定", WARN, f"{words}：请用 SHENFA_LEDGER_ANCHORS 加一处别的磁盘、邮箱或网址")


def _port(host: str, port: int) -> Check:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # A port left a moment ago is free for us, and the server binds in the same way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            words = f"{host}:{port} 不能监听（{error.strerror}）：审发正在运行时是正常的"
            return Check("端口", WARN, words)
    return Check("端口", OK, f"{host}:{port} 空闲")


async def _redis(url: str) -> Check:
    if not url:
        return Check("Redis", OK, "没有设置，单机运行")
    # The check answers even when the address swallows packets.
    client: Any = Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3)
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        return Check("Redis", FAIL, f"连不上（{error}）：请检查 SHENFA_REDIS_URL")
    finally:
        await client.aclose()
    return Check("Redis", OK, "可以连接")


# --- with the database --------------------------------------------------------------------


async def _database(settings: Settings, db: Database) -> Check:
    store = sqlite_file(settings.database_url)
    if store is not None and not store.exists():
        return Check("数据库", FAIL, f"{settings.home} 还没有初始化：请运行 shenfa init")
    newest = ScriptDirectory(str(HERE)).get_current_head()
    try:
        async with db.engine.connect() as connection:
            present = await connection.run_sync(revision_of)
    except (SQLAlchemyError, OSError) as error:
        return Check("数据库", FAIL, f"连不上或读不出：{' '.join(str(error).split())[:200]}")
    if present is None:
        return Check("数据库", FAIL, "里面没有审发的表：请运行 shenfa init")
    if present != newest:
        words = f"结构是 {present}，应为 {newest}：启动一次 shenfa serve 会升级"
        return Check("数据库", FAIL, words)
    return Check("数据库", OK, f"可以连接，结构为最新（{present}）")


async def _office(settings: Settings, db: Database) -> AsyncIterator[Check]:
    if settings.ledger_key_file is None or not settings.ledger_key_file.is_file():
        return
    ledger = open_ledger(settings, db)
    yield await _ledger(ledger)
    yield await _clock(db)
    yield await backups_check(settings, db)
    yield await _provider(settings)
    async for check in alive(settings, db):
        yield check
    yield await _abilities(db)
    for address in settings.anchor_addresses:
        yield await _place(db, address)
    signed = SignedSettings(ledger, parts_of(settings.public_url))
    yield await _texts(signed)
    if (hours := signed.proved("calendar")) is not None:
        yield _holidays(hours.value)
    yield await _on_duty(db)
    kinds = await kinds_alive(db)
    running = bool(kinds[ALL] or kinds[SERVE])  # whoever answers at our own address
    async for check in accounts_checks(settings, db, running=running):
        yield check
    levels = ApprovedLevels(ledger)
    try:
        await levels.refresh()
        faults = await levels.unfilled()
    except Refused as refused:
        yield Check("人员", WARN, f"无法判断：{refused}")
        return
    for fault in faults:
        yield Check("人员", FAIL, f"{fault}：请增加人员或角色")
    if not faults:
        yield Check("人员", OK, "各类稿件都有足够的人审核")


async def _ledger(ledger: Ledger) -> Check:
    # Anew and from the beginning: what this process remembers cannot vouch for the stored rows.
    verdict = await ledger.verify_whole()
    if not verdict.ok:
        return Check("台账", FAIL, f"在第 {verdict.first_bad} 条断开：{verdict.problem}")
    gaps = "".join(f"；第 {gap.entry} 条申明恢复备份" for gap in verdict.gaps)
    return Check("台账", OK, f"{verdict.entries} 条完好，{verdict.signed} 条有签名{gaps}")


async def _abilities(db: Database) -> Check:
    """Whether each account may call what it needs, as its platform said last."""
    looked = list((await known(db)).values())
    missing = [
        f"{one.name}缺少{'、'.join(x.label for x in one.missing)}" for one in looked if one.missing
    ]
    if missing:
        remedy = "请看 shenfa account list，按所写的原因在平台上处理，再运行 shenfa account probe"
        return Check("账号接口", WARN, f"{'；'.join(missing)}：{remedy}")
    if not looked:
        return Check("账号接口", OK, NOT_LOOKED)
    return Check("账号接口", OK, f"{len(looked)} 个账号用得到的接口都可用（{looked[0].at} 查）")


async def _on_duty(db: Database) -> Check:
    """Whether a question reaches whoever is on the roster."""
    try:
        async with db.session() as session:
            lines = await roster_now(session)
            silent = await without_ways(session)
            known = await names(session, silent)
    except Refused as refused:
        return Check("值班提醒", WARN, f"无法判断：{refused}")
    if not lines:
        words = "值班表是空的，市民要找人时没有人接：请在“设置 → 值班安排”提出值班表"
        return Check("值班提醒", FAIL, words)
    if not silent:
        return Check("值班提醒", OK, "值班表上的人都有提醒方式")
    words = "、".join(known.get(one, one) for one in silent)
    remedy = "请本人或管理员在控制台的“值班提醒”填写，再发一条测试提醒"
    return Check("值班提醒", WARN, f"{words}没有提醒方式，有咨询单也不知道：{remedy}")


async def _texts(signed: SignedSettings) -> Check:
    """Whether every setting and template is what was signed; one that is not stops its part."""
    templates = ReleasedTemplates(signed.ledger)
    await signed.refresh()
    await templates.refresh()
    wrong = [part.label for part in signed.parts.values() if signed.proved(part.name) is None]
    wrong += [LABELS[name] for name in LABELS if not templates.usable(name)]
    if wrong:
        words = "、".join(wrong[:5])
        more = f"等 {len(wrong)} 项" if len(wrong) > 5 else ""
        told = f"{words}{more}不能确认或已停用：请看事件页，重新批准或送审"
        return Check("设置和回复模板", WARN, told)
    return Check("设置和回复模板", OK, f"{len(signed.parts) + len(LABELS)} 项都与台账相符")


def _holidays(hours: OfficeHours) -> Check:
    """Whether the 调休 are known of every year that a time told to a citizen may fall into."""
    today = beijing(now()).date()
    if not (missing := hours.unarranged(today)):
        return Check("放假安排", OK, f"{today.year} 年的放假和调休已知")
    return Check("放假安排", WARN, unarranged_words(missing))


async def _clock(db: Database) -> Check:
    async with db.session() as session:
        query = select(LedgerEntry.at).order_by(LedgerEntry.seq.desc()).limit(1)
        last = (await session.scalars(query)).first()
    # Some minutes of drift are common; more would date decisions before what they decide on.
    if last is not None and last - now() > timedelta(minutes=5):
        words = f"台账最后一条是 {beijing(last):%Y-%m-%d %H:%M}，比现在还晚：请校准时间"
        return Check("时钟", FAIL, words)
    return Check("时钟", OK, f"北京时间 {beijing(now()):%Y-%m-%d %H:%M:%S}")


async def _place(db: Database, address: str) -> Check:
    async with db.session() as session:
        place = await session.get(AnchorPlace, address)
        query = select(LedgerEntry.seq, LedgerEntry.at).where(LedgerEntry.signature.is_not(None))
        signed = query.order_by(LedgerEntry.seq.desc()).limit(1)
        last = (await session.execute(signed)).first()
    told = place.seq if place is not None else 0
    if last is None or told >= last[0]:
        return Check("异地锚点", OK, f"{address} 已告知到第 {told} 条")
    late = now() - last[1] > LAG or bool(place and place.problem)
    problem = f"：{place.problem}" if place is not None and place.problem else ""
    words = f"{address} 已告知到第 {told} 条，落后 {last[0] - told} 条{problem}"
    return Check("异地锚点", WARN if late else OK, words)
