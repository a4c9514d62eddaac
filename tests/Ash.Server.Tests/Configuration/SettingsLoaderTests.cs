using System.Text.RegularExpressions;
using Ash.Server.Configuration;
using CsCheck;

namespace Ash.Server.Tests.Configuration;

public sealed partial class SettingsLoaderTests
{
    [Fact]
    public void Defaults_AreThoseOfTheReference()
    {
        var settings = Load([], out var report, ("HOME", "/home/x"));

        Assert.Empty(report.Errors);
        Assert.Empty(report.Warnings);
        Assert.Equal(("127.0.0.1", 4100), (settings.Host, settings.Port));
        Assert.Equal(ModelChoice.Claude, settings.Model);
        Assert.Equal(ShutdownMode.Drain, settings.Shutdown);
        Assert.Null(settings.SandboxUidBase);
        Assert.Equal(TimeSpan.FromMinutes(30), settings.IdleTimeout);
    }

    [Fact]
    public void Argument_WinsOverTheEnvironment()
    {
        var settings = Load(["--port", "1", "--host=::1", "--data-dir", "/a"], out var report, ("ASH_PORT", "2"), ("ASH_HOST", "0.0.0.0"), ("ASH_DATA_DIR", "/b"));

        Assert.Empty(report.Errors);
        Assert.Equal((1, "::1", "/a"), (settings.Port, settings.Host, settings.DataDirectory));
    }

    [Fact]
    public void EmptyValue_CountsAsNone()
    {
        var settings = Load([], out var report, ("ASH_PORT", ""), ("ASH_MODEL", ""), ("ANTHROPIC_API_KEY", ""));

        Assert.Empty(report.Errors);
        Assert.Equal((4100, ModelChoice.Claude, null), (settings.Port, settings.Model, settings.ModelKey));
    }

    [Theory]
    [InlineData("--port", "--port: needs a value")]
    [InlineData("--port=", "--port: needs a value")]
    [InlineData("--prot=1", "--prot=1: is not an argument of ash-server; --help lists them")]
    [InlineData("start", "start: is not an argument of ash-server; --help lists them")]
    public void WrongArgument_IsNamed(string argument, string error)
    {
        Load([argument], out var report);

        Assert.Equal([error], report.Errors);
    }

    [Theory]
    [InlineData("ASH_PORT", "65536")]
    [InlineData("ASH_PORT", "-1")]
    [InlineData("ASH_PORT", " 80")]
    [InlineData("ASH_HOST", "example.org")]
    [InlineData("ASH_MODEL", "gpt")]
    [InlineData("ASH_REAL_SDK", "no")]
    [InlineData("ASH_MODEL_BASE_URL", "ftp://x")]
    [InlineData("ASH_MODEL_BASE_URL", "http://key@x")]
    [InlineData("ASH_MODEL_SCRIPT", "/no/such/file")]
    [InlineData("CLAUDE_CODE_EXECUTABLE", "/no/such/file")]
    [InlineData("ASH_BRIDGE_ENTRY", "/no/such/file")]
    [InlineData("ASH_SANDBOX_UID_BASE", "0")]
    [InlineData("ASH_SANDBOX_MEMORY_MB", "1")]
    [InlineData("ASH_PERMISSION_MODE", "all")]
    [InlineData("ASH_TURN_TIMEOUT", "0")]
    [InlineData("ASH_TURN_TIMEOUT", "31d")]
    [InlineData("ASH_PAUSE_GRACE", "31d")]
    [InlineData("ASH_ORPHAN_TIMEOUT", "0s")]
    [InlineData("ASH_IDLE_TIMEOUT_MS", "1")]
    [InlineData("ASH_ENDED_RETENTION", "1000000d")]
    [InlineData("ASH_SHUTDOWN", "now")]
    [InlineData("ASH_DEPLOY_ROOTS", "srv/agents")]
    [InlineData("ASH_DEPLOY_ROOTS", "/tmp:")]
    [InlineData("ASH_DEPLOY_ROOTS", "/tmp:/no/such/folder")]
    [InlineData("ASH_DEPLOY_ROOTS", "none:/tmp")]
    [InlineData("ASH_INTERNAL_SECRET", "too-short")]
    [InlineData("ASH_INTERNAL_SECRET", "long enough but with spaces")]
    [InlineData("ASH_CREDENTIAL_KEY", "too-short")]
    [InlineData("ASH_CREDENTIAL_KEY", "long-enough-but,with-a-comma")]
    [InlineData("ASH_CREDENTIAL_KEY_PREVIOUS", "one,,other")]
    [InlineData("ASH_CORS_ORIGINS", "app.example.com")]
    [InlineData("ASH_CORS_ORIGINS", "https://app.example.com/")]
    [InlineData("ASH_CORS_ORIGINS", "*,https://app.example.com")]
    [InlineData("ASH_CORS_ORIGINS", "null")]
    [InlineData("ASH_RATE_LIMIT", "-1")]
    [InlineData("ASH_RATE_LIMIT_CREATES", "many")]
    [InlineData("ASH_RATE_LIMIT_FAILED_KEYS", "1.5")]
    [InlineData("ASH_RATE_LIMIT_WINDOW", "0")]
    [InlineData("ASH_RATE_LIMIT_WINDOW", "2d")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]
    [InlineData("OTEL_TRACES_EXPORTER", "zipkin")]
    [InlineData("OTEL_SDK_DISABLED", "perhaps")]
    [InlineData("ASH_DEBUG_TIMING", "yes")]
    [InlineData("ASH_MODE", "coordinator")]
    [InlineData("ASH_DATABASE_URL", "mysql://x")]
    [InlineData("ASH_SNAPSHOT_URL", "s3://x")]
    public void WrongValue_IsRefused_ByTheSettingsName(string name, string value)
    {
        Load([], out var report, (name, value));

        Assert.StartsWith($"{name}: ", Assert.Single(report.Errors), StringComparison.Ordinal);
        Assert.Equal([name], report.Refused);
    }

    [Theory]
    [InlineData("ASH_TURN_TIMEOUT", "30d")]
    [InlineData("ASH_PAUSE_GRACE", "0")]
    [InlineData("ASH_IDLE_TIMEOUT_MS", "0")]
    [InlineData("ASH_IDLE_TIMEOUT_MS", "2147483647")]
    [InlineData("ASH_ENDED_RETENTION", "36500d")]
    public void LongestAndShortest_FitTheTimersThatTheyAreFor(string name, string value)
    {
        var settings = Load([], out var report, (name, value));

        Assert.Empty(report.Errors);
        foreach (var duration in new[] { settings.TurnTimeout, settings.PauseGrace, settings.IdleTimeout, settings.OrphanTimeout })
        {
            using var timer = TimeProvider.System.CreateTimer(static _ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Assert.True(timer.Change(duration, Timeout.InfiniteTimeSpan));
            timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        Assert.True(DateTimeOffset.UtcNow - settings.EndedRetention > DateTimeOffset.MinValue);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("none", "")]
    [InlineData("/tmp", "/tmp")]
    [InlineData("/tmp:/usr/", "/tmp:/usr/")]
    public void DeployRoots_AreAny_OrNone_OrThoseThatAreNamed(string? value, string? roots)
    {
        var settings = Load([], out var report, ("ASH_DEPLOY_ROOTS", value));

        Assert.Empty(report.Errors);
        Assert.Equal(roots, settings.DeployRoots is null ? null : string.Join(':', settings.DeployRoots));
    }

    [Theory]
    [InlineData("", false, false)]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS=a=b", false, false)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317", true, true)]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4317", true, false)]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://c:4317", false, true)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317 OTEL_TRACES_EXPORTER=none", false, true)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317 OTEL_METRICS_EXPORTER=none", true, false)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317 OTEL_SDK_DISABLED=true", false, false)]
    public void Telemetry_IsSent_WhereThereIsACollectorForIt(string variables, bool traces, bool metrics)
    {
        var settings = Load([], out var report, [.. variables.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(static variable => variable.Split('=', 2))
            .Select(static parts => (parts[0], (string?)parts[1]))]);

        Assert.Empty(report.Errors);
        Assert.Equal((traces, metrics), (settings.Otlp.SendsTraces, settings.Otlp.SendsMetrics));
    }

    [Theory]
    [InlineData("*", "*")]
    [InlineData("https://app.example.com, http://localhost:3000", "https://app.example.com http://localhost:3000")]
    public void CorsOrigins_AreAll_OrThoseThatAreNamed(string value, string origins)
    {
        var settings = Load([], out var report, ("ASH_CORS_ORIGINS", value));

        Assert.Empty(report.Errors);
        Assert.Equal(origins, string.Join(' ', settings.CorsOrigins!)); // Set above.
    }

    [Theory]
    [InlineData("ASH_INTERNAL_SECRET")]
    [InlineData("ASH_CREDENTIAL_KEY")]
    [InlineData("ASH_CREDENTIAL_KEY_PREVIOUS")]
    [InlineData("ASH_API_KEY")]
    public void Secrets_AreInNoMessage(string name)
    {
        var settings = Load([], out var refused, (name, "canary canary canary"));
        var taken = Load([], out _, (name, "canary-canary-canary"));

        Assert.DoesNotContain(refused.Errors, error => error.Contains("canary", StringComparison.Ordinal));
        Assert.DoesNotContain("canary", $"{settings}{taken}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", null, "Scripted")]
    [InlineData("1", null, "Claude")]
    [InlineData("0", "claude", "Claude")]
    [InlineData("1", "scripted", "Scripted")]
    public void Model_IsScripted_WithoutTheRealSdk_UnlessItIsNamed(string realSdk, string? model, string choice)
    {
        var settings = Load([], out var report, ("ASH_REAL_SDK", realSdk), ("ASH_MODEL", model));

        Assert.Empty(report.Errors);
        Assert.Equal(choice, settings.Model.ToString());
    }

    [Fact]
    public void UnknownSetting_IsAWarning_AndNoError()
    {
        Load([], out var report, ("ASH_PRT", "80"), ("ASH_SERVER_URL", "http://x"), ("ASH_TEST_LONG", "1"), ("OTHER", "x"));

        Assert.Empty(report.Errors);
        Assert.StartsWith("ASH_PRT is not a setting of this release", Assert.Single(report.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void EveryWrongSetting_IsNamed_HoweverManyThereAre()
    {
        string[] names = ["ASH_PORT", "ASH_HOST", "ASH_MODEL", "ASH_ISOLATION", "ASH_TURN_TIMEOUT", "ASH_SHUTDOWN", "ASH_PERMISSION_MODE", "ASH_SANDBOX_MEMORY_MB"];
        Gen.Bool.Array[names.Length].Sample(wrong =>
        {
            var broken = names.Where((_, index) => wrong[index]).ToList();
            Load([], out var report, [.. broken.Select(name => (name, (string?)"?"))]);
            return report.Errors.Count == broken.Count && report.Refused.SetEquals(broken);
        });
    }

    [Fact]
    public void NoValue_MakesTheLoaderFail()
    {
        Load([], out var report);
        var known = report.Known.ToArray();
        Gen.Select(Gen.Int[0, known.Length - 1], Gen.String).Sample((index, text) =>
        {
            var value = text.Replace("\0", string.Empty, StringComparison.Ordinal);
            Load([], out _, (known[index], value));
        });
    }

    [Fact]
    public void Reference_ListsEverySetting_WithItsDefault()
    {
        Load([], out var report, ("HOME", "/home/x"));
        var documented = Row().Matches(File.ReadAllText(FindReference())).ToDictionary(row => row.Groups["name"].Value, row => row.Groups["fallback"].Value);

        Assert.Equal(report.Known.Order(StringComparer.Ordinal), documented.Keys.Order(StringComparer.Ordinal));

        // Every default that is a value is one that the loader takes, and it changes nothing.
        var defaults = Load([], out _);
        foreach (var (name, fallback) in documented.Where(pair => pair.Value.StartsWith('`') && pair.Key != "ASH_DATA_DIR"))
        {
            var value = fallback.Trim('`');
            var settings = Load([], out var again, (name, value));
            Assert.Empty(again.Errors);
            Assert.Equal(defaults, settings with { ModelBaseUrl = name == "ASH_MODEL_BASE_URL" ? null : settings.ModelBaseUrl });
        }
    }

    private static ServerSettings Load(string[] arguments, out SettingsReport report, params (string Name, string? Value)[] environment) =>
        SettingsLoader.Load(arguments, environment.ToDictionary(setting => setting.Name, setting => setting.Value), out report);

    private static string FindReference()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Ash.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run below the repository.");
        }

        return Path.Combine(folder.FullName, "docs", "reference", "settings.md");
    }

    [GeneratedRegex(@"^\| `(?<name>[A-Z0-9_]+)`[^|]*\| (?<fallback>[^|]+?) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
